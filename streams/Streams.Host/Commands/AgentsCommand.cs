using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Storage;

namespace Streams.Host.Commands;

/// <summary>`streams agents`: who may connect, who is connected, and when each last brought rows.</summary>
internal static class AgentsCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var connection = new ConnectionOptions();
        var command = new Command("agents", "List the agents with their newest session and their last rows.") { json };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            await using var identities = await Identities.OpenAsync(connection.Endpoints(parse), stop);
            using var clickHouse = connection.OpenClickHouse(parse);
            var last = (await clickHouse.RowsAsync(
                "SELECT agent_id, sum(rows), sum(last - first + 1 - rows), toString(toDateTime(max(received_at))) FROM loss_ledger WHERE " + LedgerTable.IsCurrent + " GROUP BY agent_id", stop)).ToDictionary(row => row[0]);
            var agents = (await identities.ListAsync(stop)).Select(entry => new Agent(
                entry.AgentId, entry.Identity.State, entry.Identity.Host, entry.Session?.ConnectedAt, entry.Session?.Sessions ?? 0, entry.Session?.Clones ?? 0, entry.Session?.Address ?? "",
                Number(last, entry.AgentId, 1), Number(last, entry.AgentId, 2), last.TryGetValue(entry.AgentId, out var row) ? row[3] : "")).ToList();
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(agents, new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true }));
                return 0;
            }
            Print(agents);
            return 0;
        });
        command.Add(AgentState.Revoke());
        command.Add(AgentState.Release());
        return command;
    }

    private static void Print(IReadOnlyList<Agent> agents)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in new[] { "agent", "state", "host", "last session", "sessions", "copies seen", "address", "rows", "lost", "last rows" })
        {
            table.AddColumn(column);
        }
        foreach (var agent in agents)
        {
            table.AddRow(
                Markup.Escape(agent.AgentId), agent.State, Markup.Escape(agent.Host), agent.ConnectedAt?.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "never",
                agent.Sessions.ToString(CultureInfo.InvariantCulture),
                agent.CopiesSeen.ToString(CultureInfo.InvariantCulture), Markup.Escape(agent.Address), agent.Rows.ToString("N0", CultureInfo.InvariantCulture),
                agent.Lost.ToString("N0", CultureInfo.InvariantCulture), agent.LastRows);
        }
        AnsiConsole.Write(table);
    }

    private static long Number(Dictionary<string, string[]> rows, string agent, int column) =>
        rows.TryGetValue(agent, out var row) ? long.Parse(row[column], CultureInfo.InvariantCulture) : 0;

    /// <param name="State">active, revoked or quarantined.</param>
    /// <param name="Sessions">How many sessions the agent has had.</param>
    /// <param name="CopiesSeen">How many of them looked like those of a copy of the agent: two hosts under one name.</param>
    private sealed record Agent(
        string AgentId, string State, string Host, DateTimeOffset? ConnectedAt, ulong Sessions, ulong CopiesSeen, string Address, long Rows, long Lost, string LastRows);
}
