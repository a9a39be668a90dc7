using Streams.Agent.Modules.Comm;
using Streams.AgentLink;
using Streams.Schema;

namespace Streams.Agent.Tests.Batching;

/// <summary>A link that seals as the real one does and can be full.</summary>
internal sealed class FakeSink : IBatchSink, IDisposable
{
    private readonly byte[] _buffer = new byte[Limits.MaxStoredBytes];
    private uint _n;

    public BatchCompressor Compressor { get; } = new();

    public List<byte[]> Sent { get; } = [];

    public bool HasRoom { get; set; } = true;

    /// <summary>Called when somebody waits for room.</summary>
    public Action? OnWait { get; set; }

    public bool TrySend(BatchBuilder builder, in BatchStamp stamp)
    {
        if (!HasRoom)
            return false;
        var length = builder.Seal(new BatchName(stamp.SensorEpoch, 1, _n++), stamp, BatchCompression.Zstd, _buffer);
        Assert.True(length > 0);
        Sent.Add(_buffer.AsSpan(0, length).ToArray());
        builder.Reset();
        return true;
    }

    /// <summary>What <see cref="FillOf"/> answers for every class.</summary>
    public double Fill { get; set; }

    public double FillOf(PriorityClass priority) => Fill;

    /// <summary>What <see cref="VisitSpooled"/> tells.</summary>
    public List<(Epoch SensorEpoch, ushort Class, LedgerEntry Entry, LossCount[] Losses)> Spooled { get; } = [];

    public void VisitSpooled(SpooledEntryVisitor visitor)
    {
        foreach (var (epoch, classId, entry, losses) in Spooled)
            visitor(epoch, classId, in entry, losses);
    }

    public bool WaitForRoom(TimeSpan timeout)
    {
        OnWait?.Invoke();
        return HasRoom;
    }

    public void Dispose() => Compressor.Dispose();
}
