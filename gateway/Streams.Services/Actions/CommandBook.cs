using Microsoft.Extensions.Logging;
using Streams.Control.Commands;
using Streams.Queue;
using Streams.Queue.Producing;

namespace Streams.Services.Actions;

/// <summary>
/// Where every command stands for every agent: in the bucket, changed by compare-and-set, so that several services processes keep one book,
/// and each change as a row.
/// </summary>
internal sealed class CommandBook(CommandStore store, BucketCache<CommandRecord> cache, RowProducer producer, TimeProvider time, ILogger logger)
{
    /// <summary>Enters a new command.</summary>
    /// <exception cref="QueueException">The bucket is full or away.</exception>
    public async Task EnterAsync(string commandId, string agentId, CommandRecord record, CancellationToken cancel)
    {
        if (await store.TryWriteAsync(commandId, agentId, record, 0, cancel).ConfigureAwait(false) is null)
        {
            throw new QueueException($"The command {commandId} is there already.");
        }

        Tell(commandId, agentId, record);
    }

    /// <summary>Moves a command on; false when it may not go there any more, or is not known.</summary>
    /// <param name="may">Whether the record is the one that is meant.</param>
    /// <exception cref="QueueException">The bucket is away: ask again.</exception>
    public async Task<bool> MoveAsync(
        string commandId, string agentId, CommandState state, string detail, string result, Func<CommandRecord, bool> may, CancellationToken cancel)
    {
        while (true)
        {
            var (record, revision) = await store.GetAsync(commandId, agentId, cancel).ConfigureAwait(false);
            if (record is null || !may(record) || !StateOf(record).MayBecome(state))
            {
                return false;
            }

            var next = record with { State = state.Name(), ChangedAt = time.GetUtcNow(), Detail = detail, Result = result };
            if (await store.TryWriteAsync(commandId, agentId, next, revision, cancel).ConfigureAwait(false) is not null)
            {
                Tell(commandId, agentId, next);
                return true;
            }
        }
    }

    /// <summary>Whether it has not ended.</summary>
    /// <exception cref="QueueException">The bucket is away: ask again.</exception>
    public async Task<bool> WaitsAsync(string commandId, string agentId, CancellationToken cancel) =>
        (await store.GetAsync(commandId, agentId, cancel).ConfigureAwait(false)).Record is { } record && !StateOf(record).IsEnd();

    /// <summary>Notes its place in the agent's queue.</summary>
    public async Task PlaceAsync(string commandId, string agentId, ulong sequence, CancellationToken cancel)
    {
        while (true)
        {
            var (record, revision) = await store.GetAsync(commandId, agentId, cancel).ConfigureAwait(false);
            if (record is null
                || await store.TryWriteAsync(commandId, agentId, record with { Sequence = sequence }, revision, cancel).ConfigureAwait(false) is not null)
            {
                return;
            }
        }
    }

    /// <summary>The command with its results; null when there is none of that id.</summary>
    public async Task<CommandView?> FindAsync(CommandId id, CancellationToken cancel)
    {
        var agents = cache.All.Select(entry => CommandStore.Parse(entry.Key)).Where(key => key.CommandId == id.ToString()).Select(key => key.AgentId).ToList();
        var records = new List<(string, CommandRecord)>(agents.Count);
        foreach (var agent in agents)
        {
            // The bucket, not the cache: who was told of an end must not read an older state.
            if (await store.GetAsync(id.ToString(), agent, cancel).ConfigureAwait(false) is ({ } record, _))
            {
                records.Add((agent, record));
            }
        }

        return records.Count == 0 ? null : CommandView.Of(id.ToString(), records);
    }

    /// <summary>All that is known, as of a moment ago.</summary>
    public IEnumerable<(string CommandId, string AgentId, CommandRecord Record)> All =>
        cache.All.Select(entry =>
        {
            var (command, agent) = CommandStore.Parse(entry.Key);
            return (command, agent, entry.Value);
        });

    public Task RemoveAsync(string commandId, string agentId, CancellationToken cancel) => store.RemoveAsync(commandId, agentId, cancel);

    public static CommandState StateOf(CommandRecord record) =>
        Enum.TryParse<CommandState>(record.State, ignoreCase: true, out var state) ? state : CommandState.Unknown;

    private void Tell(string commandId, string agentId, CommandRecord record)
    {
        logger.CommandMoved(commandId, record.Kind, agentId, record.State, record.Detail);
        if (!producer.TryTell(commandId, agentId, record))
        {
            logger.CommandRowDropped(commandId, agentId, record.State);
        }
    }
}
