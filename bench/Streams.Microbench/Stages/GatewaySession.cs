using Streams.Gateway.Credit;
using Streams.Gateway.Encryption;
using Streams.Gateway.Ingest;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Microbench.Wire;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Keys;

namespace Streams.Microbench.Stages;

/// <summary>A session as the gateway's graph sees it, and the agent's end of its keys.</summary>
internal sealed class GatewaySession : IFrameOwner, ICreditHolder, IDisposable
{
    private readonly FrameContext _context;
    private readonly CreditAccount _account;
    private readonly FrameSealer _sealer;

    public GatewaySession(FrameContext context, KeyArena arena)
    {
        _context = context;
        _account = context.Pool.Open(this);
        var (gateway, agent) = SessionPair.Derive(arena);
        _sealer = new FrameSealer(agent, TimeProvider.System);
        new FrameOpener(agent, fromAgent: false).Dispose();
        Opener = new SessionOpener(new BinaryOpener(new FrameOpener(gateway, fromAgent: true)));
        new FrameSealer(gateway, TimeProvider.System).Dispose();
    }

    public SessionOpener Opener { get; }

    public LaneTable Lanes { get; } = new();

    public AgentRoute Route { get; } = new("agent-1", "host-1", 0, 1, 1);

    public SessionEnd Ended { get; private set; }

    public void TellOrders()
    {
    }

    public void Doubt()
    {
    }

    public void Refused(WireError error, byte channel, string id, string field)
    {
    }

    public void End(SessionEnd end) => Ended = end;

    public void CreditGranted()
    {
    }

    /// <summary>A data frame with one batch, padded as the wire demands.</summary>
    public byte[] Seal(ReadOnlySpan<byte> batch)
    {
        var plaintext = (batch.Length + Limits.PaddingBytes - 1) / Limits.PaddingBytes * Limits.PaddingBytes;
        var frame = new byte[plaintext + FrameHeader.Overhead];
        batch.CopyTo(frame.AsSpan(FrameHeader.Size));
        _sealer.Seal(FrameType.Data, LaneClass.Event, frame, plaintext);
        return frame;
    }

    /// <summary>Takes credit and a buffer for the sealed bytes, as the connection's loop does.</summary>
    public IngestFrame Receive(byte[] sealedFrame, long receivedAt)
    {
        _context.Pool.Want(_account, LaneClass.Event, sealedFrame.Length, sealedFrame.Length);
        if (!_context.Pool.TrySpend(_account, LaneClass.Event, sealedFrame.Length))
        {
            throw new InvalidOperationException("no credit");
        }

        var buffer = _context.Buffers.Rent(sealedFrame.Length);
        sealedFrame.CopyTo(buffer, 0);
        var frame = new IngestFrame(_context, this, buffer, sealedFrame.Length, LaneClass.Event, receivedAt);
        Opener.Append(frame);
        return frame;
    }

    public void Dispose()
    {
        _context.Pool.Close(_account);
        Opener.Dispose();
        _sealer.Dispose();
    }
}
