using System.Globalization;
using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>Where each partition is read on. Lost or stale it costs time, never data: what is committed is read back from
/// ClickHouse.</summary>
public sealed class OffsetStore
{
    private readonly Bucket<OffsetRecord> _bucket;

    private OffsetStore(Bucket<OffsetRecord> bucket) => _bucket = bucket;

    public static async Task<OffsetStore> OpenAsync(QueueConnection connection, CancellationToken cancel = default) =>
        new(await Bucket<OffsetRecord>.OpenAsync(
            connection, Topology.Offsets, RecordsJson.Default.OffsetRecord, cancel).ConfigureAwait(false));

    /// <summary>The partition's offset with its revision (0 if there is none).</summary>
    public async Task<(OffsetRecord? Offset, ulong Revision)> GetAsync(int partition, CancellationToken cancel = default) =>
        await _bucket.GetAsync(Key(partition), cancel).ConfigureAwait(false);

    /// <summary>Writes if nobody wrote since the revision; the new revision, or null: another owner is at work, stop.</summary>
    public Task<ulong?> TryWriteAsync(int partition, OffsetRecord offset, ulong revision, CancellationToken cancel = default) =>
        _bucket.TryWriteAsync(Key(partition), offset, revision, cancel);

    private static string Key(int partition) => string.Create(CultureInfo.InvariantCulture, $"partition.{partition}");
}
