using Streams.Queue;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Json;

namespace Streams.Gateway.Ingest;

/// <summary>
/// The element of the ingest graphs: one data frame, from the moment its bytes are here until the queue has it or it was refused. It owns a rented buffer and
/// its bytes of credit and gives both back exactly once, in <see cref="Settle"/>, wherever its way ends. A failed graph's frames are settled by another thread than
/// those that may be reading or decrypting them: who touches the bytes holds the frame meanwhile, and the last to let go gives them back.
/// </summary>
internal sealed class IngestFrame
{
    private const int SettledBit = 1;
    private const int OneHold = 2;

    private readonly FrameContext _context;
    private byte[]? _buffer;
    private int _plaintextAt;
    private int _plaintextLength;

    /// <summary><see cref="SettledBit"/>, and the number of holds times <see cref="OneHold"/>.</summary>
    private int _state;

    /// <param name="length">Bytes of the whole frame in <paramref name="buffer"/>; they were spent from the session's credit.</param>
    /// <param name="envelope">Of a JSON message.</param>
    public IngestFrame(
        FrameContext context, IFrameOwner owner, byte[] buffer, int length, LaneClass laneClass, long receivedAt, Envelope? envelope = null)
    {
        Envelope = envelope;
        _context = context;
        _buffer = buffer;
        Owner = owner;
        Length = length;
        LaneClass = laneClass;
        ReceivedAt = receivedAt;
    }

    public IFrameOwner Owner { get; }

    public int Length { get; }

    public LaneClass LaneClass { get; }

    /// <summary>Microseconds since the Unix epoch: stamped once, here, and constant for every batch in the frame.</summary>
    public long ReceivedAt { get; }

    /// <summary>Of a JSON message; null for a frame.</summary>
    public Envelope? Envelope { get; }

    /// <summary>None once it was decrypted; null before.</summary>
    public FrameError? Opened { get; set; }

    /// <summary>Next frame of the same session that waits to be opened.</summary>
    public IngestFrame? NextToOpen { get; set; }

    /// <summary>Neighbours among the frames that are inside the same graph.</summary>
    public IngestFrame? Before { get; set; }

    public IngestFrame? After { get; set; }

    /// <summary>What the queue is told; valid after admission.</summary>
    public MessageHeaders Headers { get; set; }

    /// <summary>Length of the batches in the plaintext, without padding; valid after admission.</summary>
    public int MessageLength { get; set; }

    public bool IsSettled => (Volatile.Read(ref _state) & SettledBit) != 0;

    /// <summary>The whole frame, sealed or (in place) opened.</summary>
    public Span<byte> Frame => Bytes().AsSpan(0, Length);

    /// <summary>Batches and padding, or the content of a JSON message; empty until it was opened.</summary>
    public ReadOnlyMemory<byte> Plaintext => Bytes().AsMemory(_plaintextAt, _plaintextLength);

    public ReadOnlyMemory<byte> Message => Plaintext[..MessageLength];

    /// <summary>Where opening has put the plaintext.</summary>
    public void PlaintextAt(int start, int length) => (_plaintextAt, _plaintextLength) = (start, length);

    /// <summary>Keeps the bytes where they are until <see cref="Release"/>. False when the frame is settled: they may be another's already.</summary>
    public bool TryHold()
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            if ((state & SettledBit) != 0)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _state, state + OneHold, state) == state)
            {
                return true;
            }
        }
    }

    /// <summary>Ends one hold.</summary>
    public void Release()
    {
        if (Interlocked.Add(ref _state, -OneHold) == SettledBit)
        {
            GiveBack();
        }
    }

    /// <summary>
    /// Ends the frame's way: buffer and credit go back, now or when nobody holds the frame any more; the hop's counters move. Only the first call counts.
    /// </summary>
    public void Settle(FrameFate fate)
    {
        var before = Interlocked.Or(ref _state, SettledBit);
        if ((before & SettledBit) != 0)
        {
            return;
        }

        if (before == 0)
        {
            GiveBack();
        }

        if (fate == FrameFate.Stored)
        {
            _context.Metrics.Sent(LaneClass, MessageLength, (int)Headers.Count);
        }
        else
        {
            _context.Metrics.Dropped(LaneClass, fate);
        }
    }

    private void GiveBack()
    {
        var buffer = _buffer!;
        _buffer = null;
        _context.Buffers.Return(buffer);
        _context.Pool.Return(Length);
    }

    private byte[] Bytes() => _buffer ?? throw new InvalidOperationException("the frame was settled");
}
