using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests.Support;

/// <summary>A frame that the gateway sent, opened.</summary>
internal sealed record Received(FrameHeader Header, byte[] Payload)
{
    public FrameType Type => Header.Type;
}

/// <summary>An agent that does exactly what a test says, also what no good agent does. Built from Streams.Wire on ClientWebSocket.</summary>
internal sealed class RawAgent : IAsyncDisposable
{
    private static ulong _connects;

    private readonly KeyArena _arena = new(8);
    private readonly ulong[] _credit = new ulong[Wire.Limits.LaneClasses];

    public ClientWebSocket Socket { get; } = new();

    public string Scheme { get; init; } = "ws";

    /// <summary>How the connection is made, when not in the usual way.</summary>
    public SocketsHttpHandler? Handler { get; init; }

    public FrameSealer Sealer { get; private set; } = null!;

    public FrameOpener Opener { get; private set; } = null!;

    public byte[] SessionId { get; private set; } = [];

    public byte[] GatewayKey { get; private set; } = [];

    public SessionMessage Session { get; private set; } = null!;

    public Epoch Epoch { get; init; } = Epoch.NewRandom();

    public UInt128 BootId { get; init; } = 2;

    /// <summary>Grows with every agent that is made, as a good agent's does.</summary>
    public ulong ConnectCounter { get; init; } = Interlocked.Increment(ref _connects);

    public Queue<Received> Inbox { get; } = new();

    public ulong Credit(LaneClass laneClass) => _credit[(int)laneClass];

    /// <summary>Upgrade only.</summary>
    public static Task<RawAgent> UpgradeAsync(IPEndPoint address, params string[] subprotocols) => UpgradeAsync(new RawAgent(), address, subprotocols);

    public static async Task<RawAgent> UpgradeAsync(RawAgent agent, IPEndPoint address, params string[] subprotocols)
    {
        foreach (var subprotocol in subprotocols)
        {
            agent.Socket.Options.AddSubProtocol(subprotocol);
        }

        using var invoker = agent.Handler is null ? null : new HttpMessageInvoker(agent.Handler, disposeHandler: false);
        await agent.Socket.ConnectAsync(new Uri($"{agent.Scheme}://{address}{Protocol.Path}"), invoker, CancellationToken.None);
        return agent;
    }

    /// <summary>To the end of the handshake, `ready` included.</summary>
    /// <param name="with">An agent with properties of its own, not yet connected.</param>
    public static async Task<RawAgent> ConnectAsync(IPEndPoint address, AgentIdentity identity, FleetRoots roots, RawAgent? with = null)
    {
        var agent = await UpgradeAsync(with ?? new RawAgent(), address, Protocol.BinarySubprotocol);
        await agent.HandshakeAsync(identity, roots);
        await agent.ReadyAsync();
        return agent;
    }

    /// <summary>M1, M2 (changed if wanted), and M3 or what comes instead.</summary>
    public async Task<byte[]> AuthenticateAsync(AgentIdentity identity, FleetRoots roots, Func<byte[], byte[]>? change = null, Epoch? epoch = null)
    {
        Assert.Equal(RefusalReason.None, AgentHandshake.TryStart(identity, HandshakeContext.Binary, _arena, out var handshake));
        return await AuthenticateAsync(handshake!, roots, change, epoch);
    }

    /// <summary>To the end of a handshake of mode enrol, `ready` included.</summary>
    public static async Task<RawAgent> EnrolAsync(IPEndPoint address, SigningKey key, FleetRoots roots, RawAgent? with = null)
    {
        var agent = await UpgradeAsync(with ?? new RawAgent(), address, Protocol.BinarySubprotocol);
        Assert.Equal(RefusalReason.None, AgentHandshake.TryStartEnrolment(key, HandshakeContext.Binary, agent._arena, out var handshake));
        await agent.IntroducedAsync(await agent.AuthenticateAsync(handshake!, roots, null, null));
        await agent.ReadyAsync();
        return agent;
    }

    private async Task<byte[]> AuthenticateAsync(AgentHandshake handshake, FleetRoots roots, Func<byte[], byte[]>? change, Epoch? epoch)
    {
        using (handshake)
        {
            var hello = await ReceiveAsync();
            var auth = new byte[AgentHandshake.MaxAuthBytes];
            var claims = new AgentClaims(1, BootId, ToNumber(epoch ?? Epoch), ConnectCounter, Catalogue.Digest.ToArray());
            Assert.Equal(RefusalReason.None, handshake.ReadHello(hello!, new GatewayExpectations(roots, null, null), in claims, auth, out var length));
            var message = auth[..length];
            await Socket.SendAsync(change is null ? message : change(message), WebSocketMessageType.Binary, true, CancellationToken.None);
            var accept = await ReceiveAsync() ?? [];
            if (change is null && accept.Length == GatewayHandshake.AcceptBytes)
            {
                Assert.Equal(RefusalReason.None, handshake.ReadAccept(accept, out var keys));
                SessionId = keys!.SessionId.ToArray();
                GatewayKey = handshake.Gateway!.PublicKey.ToArray();
                Sealer = new FrameSealer(keys, TimeProvider.System);
                Opener = new FrameOpener(keys, fromAgent: false);
            }

            return accept;
        }
    }

    public async Task HandshakeAsync(AgentIdentity identity, FleetRoots roots)
    {
        await IntroducedAsync(await AuthenticateAsync(identity, roots));
    }

    private async Task IntroducedAsync(byte[] accept)
    {
        Assert.Equal(GatewayHandshake.AcceptBytes, accept.Length);
        var first = await ReceiveFrameAsync();
        Assert.Equal(FrameType.Session, first!.Type);
        Assert.True(SessionMessage.TryRead(first.Payload, out var session));
        Session = session!;
    }

    public async Task ReadyAsync(ulong? generation = null)
    {
        var payload = new byte[ReadyMessage.MaxBytes];
        var length = new ReadyMessage(generation ?? Session.Generation, Catalogue.Version, "test", "claimed host").Write(payload);
        await SendAsync(FrameType.Ready, payload[..length]);
    }

    public async Task SendAsync(FrameType type, byte[] payload, LaneClass laneClass = LaneClass.Control) => await SendRawAsync(Seal(type, payload, laneClass));

    public Task SendDataAsync(byte[] plaintext, LaneClass laneClass = LaneClass.Event) => SendAsync(FrameType.Data, plaintext, laneClass);

    public Task WantAsync(LaneClass laneClass, int next, int queued)
    {
        var wants = new ClassWant[Wire.Limits.LaneClasses];
        wants[(int)laneClass] = new ClassWant((uint)next, (uint)queued);
        var payload = new byte[WantMessage.Length];
        WantMessage.Write(wants, payload);
        return SendAsync(FrameType.Want, payload);
    }

    public Task HeartbeatAsync()
    {
        var payload = new byte[HeartbeatMessage.MaxBytes];
        return SendAsync(FrameType.Heartbeat, payload[..new HeartbeatMessage { SentAt = 77 }.Write(payload)]);
    }

    /// <summary>A signed control message.</summary>
    public Task SendAsync(ControlMessage message, AgentIdentity identity, Action<byte[]>? change = null)
    {
        var payload = new byte[MessageFrame.GetLength(message)];
        MessageFrame.Write(message, identity, SessionId, Sealer.NameNext(), payload);
        change?.Invoke(payload);
        return SendAsync(FrameType.Message, payload);
    }

    /// <summary>Receives until the gateway says why it did not take a message.</summary>
    public async Task<ErrorMessage> WaitForErrorAsync()
    {
        Assert.True(ErrorMessage.TryRead((await WaitForAsync(FrameType.GatewayError)).Payload, out var error));
        return error!;
    }

    /// <summary>Receives until a control message comes, and verifies it.</summary>
    public async Task<ControlMessage> WaitForMessageAsync()
    {
        var received = await WaitForAsync(FrameType.GatewayMessage);
        Assert.Equal(WireError.None, MessageFrame.TryRead(received.Payload, received.Header, SessionId, GatewayKey, out var message));
        return message!;
    }

    public byte[] Seal(FrameType type, byte[] payload, LaneClass laneClass)
    {
        var frame = new byte[payload.Length + FrameHeader.Overhead];
        return frame[..Sealer.Seal(type, laneClass, payload, frame)];
    }

    public Task SendRawAsync(byte[] message) => Socket.SendAsync(message, WebSocketMessageType.Binary, true, CancellationToken.None);

    /// <summary>Receives frames until the agent may send up to an offset.</summary>
    public async Task WaitForCreditAsync(LaneClass laneClass, long offset)
    {
        while ((long)Credit(laneClass) < offset)
        {
            Assert.NotNull(await ReceiveFrameAsync());
        }
    }

    /// <summary>Receives until the agent is told of lanes to send again, or to hold.</summary>
    public async Task<List<(uint Lane, uint N)>> WaitForOrdersAsync(FrameType type)
    {
        var orders = new LaneWatermark[Wire.Limits.MaxWatermarks];
        Assert.True(WatermarkMessage.TryRead((await WaitForAsync(type)).Payload, orders, out var count));
        return [.. orders.Take(count).Select(order => (order.Lane, order.Committed))];
    }

    /// <summary>Receives until a frame of the type comes.</summary>
    public async Task<Received> WaitForAsync(FrameType type)
    {
        while (true)
        {
            var frame = await ReceiveFrameAsync();
            Assert.NotNull(frame);
            if (frame.Type == type)
            {
                return frame;
            }
        }
    }

    /// <summary>Receives to the close; its code.</summary>
    public async Task<CloseCode> WaitForCloseAsync()
    {
        try
        {
            while (await ReceiveFrameAsync() is { } frame)
            {
                Inbox.Enqueue(frame);
            }
        }
        catch (WebSocketException)
        {
            // Aborted: no code.
            return 0;
        }

        return (CloseCode)(Socket.CloseStatus ?? 0);
    }

    /// <summary>The next frame, opened; null at the close. Credit is remembered.</summary>
    public async Task<Received?> ReceiveFrameAsync()
    {
        if (await ReceiveAsync() is not { } message)
        {
            return null;
        }

        Assert.Equal(FrameError.None, Open(message, out var frame));
        if (frame!.Type == FrameType.Credit)
        {
            Assert.True(CreditMessage.TryRead(frame.Payload, _credit));
        }

        return frame;
    }

    /// <summary>The next WebSocket message; null at the close.</summary>
    public async Task<byte[]?> ReceiveAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var buffer = ArrayPool<byte>.Shared.Rent(Wire.Limits.MaxControlFrameBytes);
        try
        {
            var length = 0;
            while (true)
            {
                var result = await Socket.ReceiveAsync(buffer.AsMemory(length), patience.Token);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return null;
                }

                length += result.Count;
                if (result.EndOfMessage)
                {
                    return buffer[..length];
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            try
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
                await Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
            }
            catch (Exception error) when (error is WebSocketException or OperationCanceledException)
            {
                // The gateway was first.
            }
        }

        Socket.Dispose();
        Handler?.Dispose();
        Sealer?.Dispose();
        Opener?.Dispose();
        _arena.Dispose();
    }

    private FrameError Open(byte[] message, out Received? frame)
    {
        var error = Opener.TryOpen(message, out var header, out var plaintext);
        frame = error == FrameError.None ? new Received(header, plaintext.ToArray()) : null;
        return error;
    }

    private static UInt128 ToNumber(Epoch epoch)
    {
        var bytes = new byte[Epoch.Size];
        epoch.Write(bytes);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
