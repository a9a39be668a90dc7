using Microsoft.Extensions.Logging;
using Streams.Queue;

namespace Streams.Worker;

/// <summary>
/// Where reading of a partition starts and how far it is trimmed. The record in KV is a cache: lost, stale or of another stream it costs
/// reading what is still there, and admission drops what is committed.
/// </summary>
internal sealed class PartitionPosition(OffsetStore offsets, int partition, ILogger logger)
{
    private ulong _revision;
    private ulong _written;
    private bool _discard;
    private OffsetRecord? _unanswered;

    /// <summary>First sequence to read, 0 for what is there, and the stream it belongs to.</summary>
    public async Task<(ulong From, DateTimeOffset? Created)> ReadAsync(CancellationToken cancel)
    {
        var (offset, revision) = await offsets.GetAsync(partition, cancel).ConfigureAwait(false);
        _revision = revision;
        _written = 0;
        _unanswered = null;
        if (offset is null || _discard)
        {
            _discard = false;
            return (0, null);
        }

        return (offset.NextSequence, offset.StreamCreated);
    }

    /// <summary>The stream did not fit the record: the next start reads from the stream's beginning.</summary>
    public void Discard(string reason)
    {
        _discard = true;
        logger.OffsetDiscarded(partition, reason);
    }

    /// <summary>
    /// Notes and trims what is committed. The purge does not depend on the note: with a full store writes are refused, and trimming is what
    /// makes room again (review 14).
    /// </summary>
    /// <exception cref="PartitionFault">Somebody else wrote the record: this owner's time is over.</exception>
    public async Task TrimAsync(PartitionReader reader, ulong committed, CancellationToken cancel)
    {
        if (committed <= _written)
        {
            return;
        }

        try
        {
            await NoteAsync(new OffsetRecord(reader.StreamCreated, committed + 1), cancel).ConfigureAwait(false);
        }
        catch (QueueException error)
        {
            logger.TrimFailed(partition, error.Message);
        }

        try
        {
            await reader.PurgeAsync(committed, cancel).ConfigureAwait(false);
            _written = committed;
        }
        catch (QueueException error)
        {
            logger.TrimFailed(partition, error.Message);
        }
    }

    private async Task NoteAsync(OffsetRecord offset, CancellationToken cancel)
    {
        if (_unanswered is { } earlier)
        {
            // The answer to a write was lost, the write perhaps not: then the newest revision is our own and not another owner's.
            var (found, revision) = await offsets.GetAsync(partition, cancel).ConfigureAwait(false);
            _revision = found == earlier ? revision : _revision;
        }

        _unanswered = offset;
        var written = await offsets.TryWriteAsync(partition, offset, _revision, cancel).ConfigureAwait(false);
        _revision = written ?? throw new PartitionFault("another owner wrote the offset record");
        _unanswered = null;
    }
}
