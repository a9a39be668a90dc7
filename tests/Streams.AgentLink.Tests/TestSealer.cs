using Streams.Schema;

namespace Streams.AgentLink.Tests;

/// <summary>Makes a batch of an exact length whose bytes follow from its name, so that a batch sent twice can be compared.</summary>
internal readonly struct TestSealer(int length, PriorityClass priority, int rows = 0, ushort classId = 1) : IBatchSealer
{
    private const int LedgerBytes = 24;
    internal const int MinLength = BatchHeader.Size + LedgerBytes;

    public int MaxSealedBytes => length;

    public int Seal(BatchName name, ushort catalogue, Span<byte> destination)
    {
        if (destination.Length < length)
        {
            return 0;
        }

        var stored = length - MinLength;
        new BatchHeader
        {
            Compression = BatchCompression.None,
            Priority = priority,
            ClassId = classId,
            SchemaVersion = 1,
            Name = name,
            SensorEpoch = name.Epoch,
            Rows = rows,
            LedgerEntries = 1,
            LedgerLength = LedgerBytes,
            DecodedLength = stored,
            StoredLength = stored,
        }.Write(destination);
        for (var i = BatchHeader.Size; i < length; i++)
        {
            destination[i] = (byte)(name.Lane * 31 + name.N * 7 + (uint)i);
        }

        return length;
    }

    public bool TryDigest(BatchName name, ushort catalogue, ISha256 hash, Span<byte> digest) => false;
}
