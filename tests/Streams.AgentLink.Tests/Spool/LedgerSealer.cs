using Streams.AgentLink.Spool;
using Streams.Schema;

namespace Streams.AgentLink.Tests.Spool;

/// <summary>Seals <see cref="SpoolBatch"/>.</summary>
internal readonly struct LedgerSealer(ulong first, uint rows, int body = 200, PriorityClass priority = PriorityClass.Event) : IBatchSealer
{
    public int MaxSealedBytes => body + 200;

    public int Seal(BatchName name, ushort catalogue, Span<byte> destination)
    {
        var batch = SpoolBatch.Record(name, priority, first, rows, body).AsSpan(RecordHeader.Size);
        batch.CopyTo(destination);
        return batch.Length;
    }

    public bool TryDigest(BatchName name, ushort catalogue, ISha256 hash, Span<byte> digest) => false;
}
