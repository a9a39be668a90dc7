using System.Globalization;
using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>Where commands stand. Records go by themselves some days after their last change (the bucket's age limit).</summary>
public sealed class CommandStore
{
    private readonly Bucket<CommandRecord> _bucket;

    private CommandStore(Bucket<CommandRecord> bucket) => _bucket = bucket;

    public static async Task<CommandStore> OpenAsync(QueueConnection connection, CancellationToken cancel = default) =>
        new(await Bucket<CommandRecord>.OpenAsync(
            connection, Topology.CommandStates, RecordsJson.Default.CommandRecord, cancel).ConfigureAwait(false));

    public static string Key(string commandId, string agentId) => string.Create(CultureInfo.InvariantCulture, $"{commandId}.{agentId}");

    /// <summary>Command and agent of a key.</summary>
    public static (string CommandId, string AgentId) Parse(string key)
    {
        var dot = key.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? (key, "") : (key[..dot], key[(dot + 1)..]);
    }

    /// <summary>The record and its revision; null with the revision to write at when there is none.</summary>
    public Task<(CommandRecord? Record, ulong Revision)> GetAsync(string commandId, string agentId, CancellationToken cancel = default) =>
        _bucket.GetAsync(Key(commandId, agentId), cancel);

    /// <summary>Writes if the revision is still the one that was read; the new one, or null: another was quicker.</summary>
    public Task<ulong?> TryWriteAsync(string commandId, string agentId, CommandRecord record, ulong revision, CancellationToken cancel = default) =>
        _bucket.TryWriteAsync(Key(commandId, agentId), record, revision, cancel);

    public Task RemoveAsync(string commandId, string agentId, CancellationToken cancel = default) =>
        _bucket.RemoveAsync(Key(commandId, agentId), cancel);

    /// <summary>All records, then every change, until cancelled.</summary>
    public IAsyncEnumerable<Change<CommandRecord>> WatchAsync(Action? onCurrent = null, CancellationToken cancel = default) =>
        _bucket.WatchAsync(onCurrent, cancel);
}
