using Microsoft.Extensions.Logging;
using Streams.Control.Commands;
using Streams.Queue;

namespace Streams.Services.Actions;

/// <summary>
/// What time does to commands: those past their deadline without an answer expire, those that ended leave the agents' queues, and long
/// after that the book. nats-server 2.9 cannot expire single messages, so it is done here; several of these do no harm to each other.
/// </summary>
internal sealed class CommandSweep(CommandBook book, CommandMailbox mailbox, CommandReader reader, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>An answer that was given in time may still be under way.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>How long an ended command can be asked for. Its rows stay.</summary>
    private static readonly TimeSpan KeepEnded = TimeSpan.FromHours(24);

    /// <summary>Commands that the book knows nothing of: it was lost, or its writer died.</summary>
    private static readonly TimeSpan OrphanInterval = TimeSpan.FromHours(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<string, ulong> _purged = new(StringComparer.Ordinal);
    private Task _loop = Task.CompletedTask;
    private DateTimeOffset _orphansAt = DateTimeOffset.MinValue;

    public void Start() => _loop = Task.Run(RunAsync);

    /// <summary>Something ended: its place can be given back now.</summary>
    public void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await SweepAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (!_stop.IsCancellationRequested)
            {
                logger.SweepFailed(error.Message);
            }

            await _wake.WaitAsync(Interval, _stop.Token).ConfigureAwait(false);
        }
    }

    private async Task SweepAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var late = CommandIssuer.Microseconds(now - Grace);
        foreach (var (command, agent, record) in book.All)
        {
            if (!CommandBook.StateOf(record).IsEnd())
            {
                if (record.Deadline < late)
                {
                    await book.MoveAsync(command, agent, CommandState.Expired, "no_answer", "", _ => true, cancel).ConfigureAwait(false);
                }
            }
            else if (now - record.ChangedAt > KeepEnded)
            {
                await book.RemoveAsync(command, agent, cancel).ConfigureAwait(false);
            }
        }

        foreach (var agent in book.All.GroupBy(entry => entry.AgentId))
        {
            await MakeRoomAsync(agent.Key, [.. agent.Select(entry => entry.Record)], cancel).ConfigureAwait(false);
        }

        if (now - _orphansAt > OrphanInterval)
        {
            _orphansAt = now;
            await PurgeOrphansAsync(CommandIssuer.Microseconds(now), cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Removes an agent's commands up to the first that has not ended: a purge is by subject and place.</summary>
    private async Task MakeRoomAsync(string agent, List<CommandRecord> records, CancellationToken cancel)
    {
        // While one has no place yet (0) nothing is removed: it may be in front of those that ended.
        var open = records.Where(record => !CommandBook.StateOf(record).IsEnd()).Select(record => record.Sequence).ToList();
        var ended = records.Where(record => CommandBook.StateOf(record).IsEnd()).Select(record => record.Sequence).DefaultIfEmpty().Max();
        var below = open.Count > 0 ? open.Min() : ended + 1;
        if (ended != 0 && below != 0 && below != _purged.GetValueOrDefault(agent))
        {
            await mailbox.PurgeAsync(agent, below, cancel).ConfigureAwait(false);
            _purged[agent] = below;
        }
    }

    /// <summary>Removes expired commands that are in a queue and not in the book, from the front of each agent's queue.</summary>
    private async Task PurgeOrphansAsync(ulong now, CancellationToken cancel)
    {
        var known = book.All.Select(entry => (entry.AgentId, entry.Record.Sequence)).ToHashSet();
        var below = new Dictionary<string, ulong>(StringComparer.Ordinal);
        var blocked = new HashSet<string>(StringComparer.Ordinal);
        for (var at = 1UL; await reader.ReadAnyAsync(at, cancel).ConfigureAwait(false) is { } found; at = found.Command.Sequence + 1)
        {
            var over = !CommandDocument.TryParse(found.Command.Document.Span, out var document) || document.Fields.Deadline < now;
            if (!over || known.Contains((found.AgentId, found.Command.Sequence)))
            {
                blocked.Add(found.AgentId);
            }
            else if (!blocked.Contains(found.AgentId))
            {
                below[found.AgentId] = found.Command.Sequence + 1;
            }
        }

        foreach (var (agent, sequence) in below)
        {
            await mailbox.PurgeAsync(agent, sequence, cancel).ConfigureAwait(false);
        }
    }
}
