using Streams.Gateway.Connections;
using Streams.Gateway.Credit;
using Streams.Gateway.Encryption;
using Streams.Gateway.Ingest;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Gateway.Tests.Support;

/// <summary>Both ends of a session's keys without a socket, and frames as the connection's loop makes them.</summary>
internal sealed class TestSession : IFrameOwner, ICreditHolder, IDisposable
{
    private readonly FrameContext _context;
    private readonly CreditAccount _account;
    private readonly FrameSealer _sealer;
    private int _ended;
    private int _doubts;

    public TestSession(FrameContext context, KeyArena arena, int partition = 0, string agentId = "agent-1")
    {
        _context = context;
        _account = context.Pool.Open(this);
        Route = new AgentRoute(agentId, "host", partition, 1, 1);
        var (gatewayKeys, agentKeys) = Handshake(arena, agentId);
        _sealer = new FrameSealer(agentKeys, TimeProvider.System);
        using var unused = new FrameOpener(agentKeys, fromAgent: false);
        Opener = new SessionOpener(new BinaryOpener(new FrameOpener(gatewayKeys, fromAgent: true)));
        new FrameSealer(gatewayKeys, TimeProvider.System).Dispose();
    }

    /// <summary>The keys of both ends after a handshake without a socket.</summary>
    public static (SessionKeys Gateway, SessionKeys Agent) Handshake(KeyArena arena, string agentId = "agent-1")
    {
        using var root = SigningKey.Generate();
        var gatewayKey = SigningKey.Generate();
        var certificate = FleetCertificate.Create(root, CertificateUse.Gateway, "gateway-1", gatewayKey.PublicKey, 0, long.MaxValue, 1);
        using var gateway = new GatewayIdentity(gatewayKey, certificate);
        using var agent = new AgentIdentity(agentId, SigningKey.Generate());
        GatewayHandshake.TryStart(gateway, HandshakeContext.Binary, arena, EphemeralKey.TryGenerate(arena)!, out var g);
        AgentHandshake.TryStart(agent, HandshakeContext.Binary, arena, out var a);
        using (g)
        using (a)
        {
            var message = new byte[Wire.Limits.MaxHandshakeMessageBytes];
            var hello = message[..g!.WriteHello(1, message)];
            var claims = new AgentClaims(1, 1, 1, 1, new byte[32]);
            a!.ReadHello(hello, new GatewayExpectations(new FleetRoots(root.PublicKey.ToArray()), null, null), in claims, message, out var length);
            Assert.Equal(RefusalReason.None, g.ReadAuth(message.AsSpan(0, length), out _));
            Assert.Equal(RefusalReason.None, g.Verify(agent.PublicKey));
            g.WriteAccept(message, out var gatewayKeys);
            Assert.Equal(RefusalReason.None, a.ReadAccept(message.AsSpan(0, GatewayHandshake.AcceptBytes), out var agentKeys));
            return (gatewayKeys!, agentKeys!);
        }
    }

    public SessionOpener Opener { get; }

    public LaneTable Lanes { get; } = new();

    public AgentRoute Route { get; }

    public Epoch Epoch { get; } = Epoch.NewRandom();

    public SessionEnd Ended => (SessionEnd)Volatile.Read(ref _ended);

    /// <summary>How often the worker was to be asked.</summary>
    public int Doubts => Volatile.Read(ref _doubts);

    public void TellOrders()
    {
    }

    public void Refused(WireError error, byte channel, string id, string field)
    {
    }

    public void Doubt() => Interlocked.Increment(ref _doubts);

    public void End(SessionEnd end) => Interlocked.CompareExchange(ref _ended, (int)end, 0);

    /// <summary>Opens a frame that is not data, as the loop does.</summary>
    public FrameError Open(byte[] control, out byte[] payload)
    {
        var error = Opener.Open(new ReceivedMessage(Receipt.Frame, control, control.Length, default, default), out var opened);
        payload = opened.Payload.ToArray();
        return error;
    }

    public byte[] Seal(byte[] payload, FrameType type = FrameType.Data, LaneClass laneClass = LaneClass.Event)
    {
        var frame = new byte[payload.Length + FrameHeader.Overhead];
        _sealer.Seal(type, laneClass, payload, frame);
        return frame;
    }

    /// <summary>Takes credit and a buffer for the sealed bytes, as the loop does.</summary>
    public IngestFrame Receive(byte[] sealedFrame)
    {
        _context.Pool.Want(_account, LaneClass.Event, sealedFrame.Length, sealedFrame.Length);
        Assert.True(_context.Pool.TrySpend(_account, LaneClass.Event, sealedFrame.Length));
        var buffer = _context.Buffers.Rent(sealedFrame.Length);
        sealedFrame.CopyTo(buffer, 0);
        var frame = new IngestFrame(_context, this, buffer, sealedFrame.Length, LaneClass.Event, 1);
        Opener.Append(frame);
        return frame;
    }

    public IngestFrame Receive(uint lane, uint n, int bytes = 600) => Receive(Seal(Batches.Pad(Batches.Make(Epoch, lane, n, bytes))));

    public void CreditGranted()
    {
    }

    public void Dispose()
    {
        _context.Pool.Close(_account);
        Opener.Dispose();
        _sealer.Dispose();
    }

    public static FrameContext NewContext(GatewayMetrics metrics, long pool = 32 << 20) => new(new FrameBuffers(), new CreditPool(pool), metrics);
}
