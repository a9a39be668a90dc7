using BenchmarkDotNet.Attributes;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Keys;

namespace Streams.Microbench.Wire;

/// <summary>Data frames sealed, and sealed and opened again, in place: opening alone is the difference, because a frame opens once.</summary>
public class FrameSealOpen
{
    private const int Kilobyte = 1024;

    private readonly byte[] _frame = new byte[(64 * Kilobyte) + FrameHeader.Overhead];
    private KeyArena _arena = null!;
    private FrameSealer _sealer = null!;
    private FrameSealer _alone = null!;
    private FrameOpener _opener = null!;

    [GlobalSetup]
    public void Open()
    {
        _arena = new KeyArena(16);
        var (gateway, agent) = SessionPair.Derive(_arena);
        _sealer = new FrameSealer(agent, TimeProvider.System);
        _opener = new FrameOpener(gateway, fromAgent: true);
        (_, agent) = SessionPair.Derive(_arena);
        _alone = new FrameSealer(agent, TimeProvider.System);
    }

    [GlobalCleanup]
    public void Close()
    {
        _sealer.Dispose();
        _alone.Dispose();
        _opener.Dispose();
        _arena.Dispose();
    }

    [Benchmark]
    public long Seal16K() => _alone.Seal(FrameType.Data, LaneClass.Event, _frame, 16 * Kilobyte);

    [Benchmark]
    public long SealOpen1K() => SealOpen(Kilobyte);

    [Benchmark]
    public long SealOpen16K() => SealOpen(16 * Kilobyte);

    [Benchmark]
    public long SealOpen64K() => SealOpen(64 * Kilobyte);

    private int SealOpen(int plaintext)
    {
        var length = _sealer.Seal(FrameType.Data, LaneClass.Event, _frame, plaintext);
        return _opener.TryOpen(_frame.AsSpan(0, length), out _, out var opened) == FrameError.None
            ? opened.Length
            : throw new InvalidOperationException("a frame that was just sealed does not open");
    }
}
