using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests.Gateway;

/// <summary>One connection of an agent to the <see cref="ScriptedGateway"/>.</summary>
internal sealed class ScriptedPeer : IAsyncDisposable
{
    private readonly ScriptedGateway _gateway;
    private readonly Socket _socket;
    private readonly WebSocket _webSocket;
    private readonly HandshakeContext _context;
    private readonly byte[] _buffer = new byte[Wire.Limits.MaxFrameBytes + 1024];
    private readonly ulong[] _credit = new ulong[Wire.Limits.LaneClasses];
    private FrameSealer? _sealer;
    private FrameOpener? _opener;

    private ScriptedPeer(ScriptedGateway gateway, Socket socket, WebSocket webSocket, HandshakeContext context)
    {
        _gateway = gateway;
        _socket = socket;
        _webSocket = webSocket;
        _context = context;
    }

    internal int HeartbeatSeconds { get; set; } = 30;

    internal int SessionSeconds { get; set; } = Wire.Limits.SessionSeconds;

    /// <summary>The catalogue that F0 names.</summary>
    internal ushort CatalogueVersion { get; set; } = Catalogue.Version;

    internal IReadOnlyList<LaneWatermark> Watermarks { get; set; } = [];

    internal byte[] Revocations { get; set; } = [];

    internal byte[] SessionId { get; private set; } = [];

    internal AuthMessage? Auth { get; private set; }

    internal ReadyMessage? Ready { get; private set; }

    internal ulong Generation { get; private set; }

    internal WebSocket WebSocket => _webSocket;

    internal Socket Socket => _socket;

    /// <summary>Bytes of data frames received, per class.</summary>
    internal ulong[] Received { get; } = new ulong[Wire.Limits.LaneClasses];

    internal ReadOnlySpan<ulong> Granted => _credit;

    internal static async Task<ScriptedPeer> UpgradeAsync(ScriptedGateway gateway, Socket socket, string selected)
    {
        var request = await ReadHeadAsync(socket);
        var lines = request.Split("\r\n");
        string Value(string name) => lines.Single(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))[(name.Length + 1)..].Trim();
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(Value("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
        await socket.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
            $"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {selected}\r\n\r\n"));
        var webSocket = WebSocket.CreateFromStream(new NetworkStream(socket, ownsSocket: false),
            new WebSocketCreationOptions { IsServer = true, SubProtocol = selected, KeepAliveInterval = Timeout.InfiniteTimeSpan });
        return new ScriptedPeer(gateway, socket, webSocket,
            new HandshakeContext(Value("Sec-WebSocket-Protocol"), selected, lines[0].Split(' ')[1]));
    }

    internal static async Task<string> ReadHeadAsync(Socket socket)
    {
        var head = new byte[4096];
        var filled = 0;
        while (true)
        {
            var received = await socket.ReceiveAsync(head.AsMemory(filled)).AsTask().WaitAsync(ScriptedGateway.Deadline);
            Assert.True(received > 0, "the agent closed before its request was whole");
            filled += received;
            if (head.AsSpan(0, filled).EndsWith("\r\n\r\n"u8))
            {
                return Encoding.ASCII.GetString(head, 0, filled - 4);
            }
        }
    }

    /// <summary>M1 to ready, or only to M2 when the agent's key is not let in.</summary>
    internal async Task<bool> HandshakeAsync()
    {
        if (!await AcceptAsync())
        {
            return false;
        }

        await ConfirmAsync();
        return true;
    }

    /// <summary>M1 to M3; F0 is not sent. False after M2 when the agent's key is not let in.</summary>
    internal async Task<bool> AcceptAsync()
    {
        using var handshake = await HelloAsync();
        var auth = await ReceiveMessageAsync();
        Assert.Equal(RefusalReason.None, handshake.ReadAuth(auth, out var claims));
        Auth = claims;
        if (_gateway.LetsIn is { } letsIn && !letsIn(claims!.PublicKey.ToArray()))
        {
            return false;
        }

        Assert.Equal(RefusalReason.None,
            claims!.Mode == SessionMode.Enrol ? handshake.VerifyEnrolment()
                : handshake.Verify(_gateway.LetsIn is null ? _gateway.Agent.PublicKey : claims.PublicKey.Span));
        var accept = new byte[GatewayHandshake.AcceptBytes];
        Assert.Equal(RefusalReason.None, handshake.WriteAccept(accept, out var keys));
        await SendMessageAsync(accept);
        SessionId = keys!.SessionId.ToArray();
        _sealer = new FrameSealer(keys, TimeProvider.System);
        _opener = new FrameOpener(keys, fromAgent: true);
        return true;
    }

    private async Task ConfirmAsync()
    {
        Generation = Auth!.Mode == SessionMode.Enrol ? 0 : _gateway.NextGeneration();
        var session = new SessionMessage
        {
            Generation = Generation,
            Gateway = "gw-test",
            CatalogueVersion = CatalogueVersion,
            CatalogueDigest = Catalogue.Digest.ToArray(),
            HeartbeatSeconds = HeartbeatSeconds,
            SessionSeconds = SessionSeconds,
            Watermarks = Watermarks,
            Revocations = Revocations,
        };
        var payload = new byte[session.Length];
        session.Write(payload);
        await SendAsync(FrameType.Session, payload);
        var (header, ready) = await ReceiveAsync();
        Assert.Equal(FrameType.Ready, header.Type);
        Assert.True(ReadyMessage.TryRead(ready, out var message));
        Ready = message;
    }

    /// <summary>Sends M1 and gives the handshake to go on with.</summary>
    internal async Task<GatewayHandshake> HelloAsync()
    {
        Assert.Equal(RefusalReason.None, GatewayHandshake.TryStart(_gateway.Identity, _context, _gateway.Arena,
            EphemeralKey.TryGenerate(_gateway.Arena)!, out var handshake, new GatewayOffer(Protocol.Versions, AllowsEnrolment: true)));
        var hello = new byte[GatewayHandshake.MaxHelloBytes];
        await SendMessageAsync(hello[..handshake!.WriteHello(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000, hello)]);
        return handshake;
    }

    /// <summary>A control message, signed by the gateway's key.</summary>
    internal Task SendAsync(ControlMessage message, Action<byte[]>? change = null)
    {
        var payload = new byte[MessageFrame.GetLength(message)];
        MessageFrame.Write(message, _gateway.Identity, SessionId, _sealer!.NameNext(), payload);
        change?.Invoke(payload);
        return SendAsync(FrameType.GatewayMessage, payload);
    }

    /// <summary>The agent's next control message, verified.</summary>
    internal async Task<ControlMessage> ReceiveControlAsync()
    {
        var (header, payload) = await ReceiveAsync(FrameType.Message);
        Assert.Equal(WireError.None, MessageFrame.TryRead(payload, header, SessionId, Auth!.PublicKey.Span, out var message));
        return message!;
    }

    internal async Task<ErrorMessage> ReceiveErrorAsync()
    {
        var (_, payload) = await ReceiveAsync(FrameType.Error);
        Assert.True(ErrorMessage.TryRead(payload, out var error));
        return error!;
    }

    internal Task SendMessageAsync(byte[] message) =>
        _webSocket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, default).WaitAsync(ScriptedGateway.Deadline);

    internal Task SendAsync(FrameType type, byte[] payload) => SendMessageAsync(Seal(type, payload));

    /// <summary>A frame that is the next one, not sent.</summary>
    internal byte[] Seal(FrameType type, byte[] payload)
    {
        var frame = new byte[payload.Length + FrameHeader.Overhead];
        return frame[.._sealer!.Seal(type, LaneClass.Control, payload, frame)];
    }

    /// <summary>The next binary message, or the peer's close code as the exception's message.</summary>
    internal async Task<byte[]> ReceiveMessageAsync(TimeSpan? timeout = null)
    {
        var length = 0;
        while (true)
        {
            using var limit = new CancellationTokenSource(timeout ?? ScriptedGateway.Deadline);
            var result = await _webSocket.ReceiveAsync(_buffer.AsMemory(length), limit.Token);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                throw new InvalidOperationException($"closed {(int?)_webSocket.CloseStatus}");
            }

            length += result.Count;
            if (result.EndOfMessage)
            {
                return _buffer[..length];
            }
        }
    }

    internal async Task<(FrameHeader Header, byte[] Payload)> ReceiveAsync(TimeSpan? timeout = null)
    {
        var message = await ReceiveMessageAsync(timeout);
        Assert.Equal(FrameError.None, _opener!.TryOpen(message, out var header, out var payload));
        if (header.Type == FrameType.Data)
        {
            Received[(int)header.LaneClass] += (ulong)message.Length;
            Assert.True(Received[(int)header.LaneClass] <= _credit[(int)header.LaneClass],
                $"{header.LaneClass}: {Received[(int)header.LaneClass]} bytes above the credit of {_credit[(int)header.LaneClass]}");
        }

        return (header, payload.ToArray());
    }

    /// <summary>The next frame of a type; others are skipped (but still held to the credit).</summary>
    internal async Task<(FrameHeader Header, byte[] Payload)> ReceiveAsync(FrameType type, TimeSpan? timeout = null)
    {
        while (true)
        {
            var (header, payload) = await ReceiveAsync(timeout);
            if (header.Type == type)
            {
                return (header, payload);
            }
        }
    }

    /// <summary>The batches of the next data frame, whose padding is checked.</summary>
    internal async Task<(LaneClass Class, List<(BatchName Name, byte[] Bytes)> Batches)> ReceiveDataAsync()
    {
        var (header, payload) = await ReceiveAsync(FrameType.Data);
        var batches = new List<(BatchName, byte[])>();
        var end = BatchSequence.LengthWithoutPadding(payload);
        Assert.True(DataPadding.IsValid(payload, end));
        var sequence = new BatchSequence(payload.AsMemory(0, end));
        while (sequence.MoveNext())
        {
            batches.Add((sequence.Header.Name, sequence.Current.ToArray()));
        }

        Assert.Equal(BatchErrorKind.None, sequence.Error.Kind);
        return (header.LaneClass, batches);
    }

    internal Task GrantAsync(LaneClass laneClass, ulong more)
    {
        _credit[(int)laneClass] += more;
        return SendCreditAsync();
    }

    internal Task GrantAllAsync(ulong more)
    {
        for (var i = 0; i < _credit.Length; i++)
        {
            _credit[i] += more;
        }

        return SendCreditAsync();
    }

    internal Task SendCreditAsync()
    {
        var payload = new byte[CreditMessage.Length];
        CreditMessage.Write(_credit, payload);
        return SendAsync(FrameType.Credit, payload);
    }

    internal Task CommitAsync(params LaneWatermark[] watermarks)
    {
        var payload = new byte[WatermarkMessage.GetLength(watermarks.Length)];
        WatermarkMessage.Write(watermarks, payload);
        return SendAsync(FrameType.Watermark, payload);
    }

    internal Task GoodbyeAsync(GoodbyeReason reason, uint retryAfter)
    {
        var payload = new byte[GoodbyeMessage.Length];
        new GoodbyeMessage(reason, retryAfter).Write(payload);
        return SendAsync(FrameType.Goodbye, payload);
    }

    /// <summary>Breaks the connection as a cable would.</summary>
    internal void Cut() => _socket.Close(0);

    public ValueTask DisposeAsync()
    {
        _sealer?.Dispose();
        _opener?.Dispose();
        _webSocket.Dispose();
        _socket.Dispose();
        return default;
    }
}
