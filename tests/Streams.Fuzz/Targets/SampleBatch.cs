using Streams.Schema;

namespace Streams.Fuzz.Targets;

/// <summary>A small good batch of any class.</summary>
internal static class SampleBatch
{
    public static byte[] Make(EventClass eventClass, BatchCompression compression, uint lane = 1, uint n = 0)
    {
        var epoch = Epoch.Read([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
        using var builder = new BatchBuilder(eventClass);
        for (ulong row = 0; row < 3; row++)
        {
            if (builder.TryBeginRow(0))
            {
                builder.SetClaim(1, row + 1, 0, 0, 0);
                builder.EndRow();
            }
        }

        builder.TryAddLedger(0, 1, 3, 3);
        var buffer = new byte[Limits.MaxStoredBytes];
        var length = builder.Seal(new BatchName(epoch, lane, n), new BatchStamp(epoch), compression, buffer);
        return buffer[..Math.Max(0, length)];
    }
}
