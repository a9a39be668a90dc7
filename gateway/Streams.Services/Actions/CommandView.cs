using Streams.Control.Commands;
using Streams.Queue;

namespace Streams.Services.Actions;

/// <summary>A command as it stands now.</summary>
public sealed record CommandView(string Id, string Kind, string Actor, DateTimeOffset CreatedAt, ulong Deadline, IReadOnlyList<CommandAgentView> Agents)
{
    internal static CommandView Of(string id, IEnumerable<(string Agent, CommandRecord Record)> records)
    {
        var sorted = records.OrderBy(entry => entry.Agent, StringComparer.Ordinal).ToList();
        var first = sorted[0].Record;
        return new CommandView(id, first.Kind, first.Actor, first.CreatedAt, first.Deadline, [.. sorted.Select(CommandAgentView.Of)]);
    }
}

/// <summary>Where it stands for one agent.</summary>
/// <param name="Result">JSON of a finished one; empty without.</param>
public sealed record CommandAgentView(string Agent, string State, DateTimeOffset ChangedAt, string Detail, string Result)
{
    public bool HasEnded => Enum.TryParse<CommandState>(State, ignoreCase: true, out var state) && state.IsEnd();

    internal static CommandAgentView Of((string Agent, CommandRecord Record) entry) =>
        new(entry.Agent, entry.Record.State, entry.Record.ChangedAt, entry.Record.Detail, entry.Record.Result);
}
