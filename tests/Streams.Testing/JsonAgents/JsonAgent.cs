using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using NSec.Cryptography;

namespace Streams.Testing.JsonAgents;

/// <summary>
/// An agent of <c>streams.v1.json</c> as a stranger would write it: from PROTOCOL.md, on the runtime's cryptography and NSec, without a line of the product. It does
/// exactly what a test says.
/// </summary>
public sealed class JsonAgent : IAsyncDisposable
{
    private const string Path = "/v1/agent";
    private const string Subprotocol = "streams.v1.json";

    private readonly ClientWebSocket _socket = new();
    private readonly Key _identity;
    private JsonAgentDirection _send = null!;
    private JsonAgentDirection _receive = null!;
    private byte[] _gatewayKey = [];
    private byte[] _sessionId = [];
    private JsonNode? _credit;
    private JsonAgentHandshake? _handshake;
    private int _ids;

    private JsonAgent(string agentId, Key identity)
    {
        AgentId = agentId;
        _identity = identity;
    }

    public string AgentId { get; }

    /// <summary>Shown in every message from F0 on.</summary>
    public string Token { get; set; } = "";

    /// <summary>F0's content.</summary>
    public JsonNode Session { get; private set; } = null!;

    public ulong Generation => Session["generation"]!.GetValue<ulong>();

    public bool IsOpen => _socket.State == WebSocketState.Open;

    public int? CloseCode => (int?)_socket.CloseStatus;

    public string? CloseDescription => _socket.CloseStatusDescription;

    /// <summary>The message that came last, as it came.</summary>
    public string LastText { get; private set; } = "";

    /// <summary>Current key epochs, what is sent and what comes.</summary>
    public (uint Sent, uint Received) KeyEpochs => (_send.KeyEpoch, _receive.KeyEpoch);

    /// <summary>Bytes of text that may be sent of a lane class since the session began.</summary>
    public long Credit(string laneClass) => _credit?[laneClass]?.GetValue<long>() ?? 0;

    /// <summary>A new Ed25519 key: seed and public half.</summary>
    public static (byte[] Seed, byte[] Public) NewKey()
    {
        var seed = RandomNumberGenerator.GetBytes(32);
        using var key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        return (seed, key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    /// <summary>To the end of the handshake, F0 included.</summary>
    /// <param name="epoch">32 hex digits, of this life of the agent.</param>
    public static async Task<JsonAgent> ConnectAsync(Uri gateway, string agentId, byte[] seed, byte[] root, string epoch, ulong connectCounter)
    {
        var agent = await UpgradeAsync(gateway, agentId, seed);
        await agent.SendTextAsync(await agent.AuthAsync(root, epoch, connectCounter));
        await agent.FinishAsync();
        return agent;
    }

    /// <summary>Upgrade only.</summary>
    /// <param name="subprotocol">What arrives at the gateway of the offer; empty when somebody took it away.</param>
    public static async Task<JsonAgent> UpgradeAsync(Uri gateway, string agentId, byte[] seed, string subprotocol = Subprotocol)
    {
        var agent = new JsonAgent(agentId, Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey));
        if (subprotocol.Length > 0)
        {
            agent._socket.Options.AddSubProtocol(subprotocol);
        }

        await agent._socket.ConnectAsync(new Uri($"ws://{gateway.Host}:{gateway.Port}{Path}"), CancellationToken.None);
        return agent;
    }

    /// <summary>M1 in; M2, not sent yet.</summary>
    /// <param name="onTheWay">What somebody made of M1.</param>
    /// <param name="offered">What the agent offered, if that is not what arrived.</param>
    public async Task<string> AuthAsync(
        byte[] root, string epoch, ulong connectCounter, Func<byte[], byte[]>? onTheWay = null, string offered = Subprotocol)
    {
        _handshake = new JsonAgentHandshake(AgentId, _identity, root, offered, Path);
        var hello = await ReceiveStructAsync("request");
        return AuthText(_handshake.Answer(onTheWay is null ? hello : onTheWay(hello), Convert.FromHexString(epoch), connectCounter));
    }

    /// <summary>Any bytes in the envelope of M2.</summary>
    public string AuthText(byte[] auth) => new JsonObject
    {
        ["id"] = "auth",
        ["type"] = "response",
        ["channel"] = "auth",
        ["payload"] = Convert.ToBase64String(auth),
        ["timestamp"] = Now(),
        ["nonce"] = "",
        ["signature"] = "",
        ["headers"] = new JsonObject { ["agent_id"] = AgentId, ["module_id"] = "comm", ["session_token"] = "" },
    }.ToJsonString();

    /// <summary>M3 and F0 in.</summary>
    public async Task FinishAsync()
    {
        _handshake!.Finish(await ReceiveStructAsync("event"));
        (_gatewayKey, _sessionId) = (_handshake.GatewayKey, _handshake.SessionId);
        (_send, _receive) = (new JsonAgentDirection(_handshake.AgentSecret), new JsonAgentDirection(_handshake.GatewaySecret));
        Session = await WaitForAsync("auth");
        Token = Text(Session["token"]);
    }

    public Task ReadyAsync() => SendAsync("auth", "response", "comm", new JsonObject
    {
        ["generation"] = Generation,
        ["catalogue_version"] = Session["catalogue_version"]!.GetValue<int>(),
        ["agent_version"] = "stranger 1",
        ["host"] = "host of " + AgentId,
    });

    public Task HeartbeatAsync() => SendAsync("heartbeat", "event", "comm", new JsonObject { ["sent_at"] = Now() });

    public Task WantAsync(string laneClass, int next, int queued) =>
        SendAsync("session.flow.credit", "request", "comm", new JsonObject { [laneClass] = new JsonObject { ["next"] = next, ["queued"] = queued } });

    public async Task RekeyAsync()
    {
        await SendAsync("session.flow.rekey", "event", "comm", new JsonObject { ["key_epoch"] = _send.KeyEpoch + 1 });
        _send.Rekey();
    }

    public Task SendAsync(string channel, string type, string module, JsonNode content, string? id = null) =>
        SendTextAsync(Seal(channel, type, module, content.ToJsonString(), id).ToJsonString());

    public Task SendTextAsync(string text) => SendTextAsync(Encoding.UTF8.GetBytes(text));

    /// <param name="bytes">Text or not.</param>
    public Task SendTextAsync(byte[] bytes) => _socket.SendAsync(bytes, WebSocketMessageType.Text, true, CancellationToken.None);

    public Task SendBinaryAsync(byte[] bytes) => _socket.SendAsync(bytes, WebSocketMessageType.Binary, true, CancellationToken.None);

    /// <summary>A sealed envelope, not sent yet: a test may spoil it.</summary>
    public JsonObject Seal(string channel, string type, string module, string content, string? id = null, byte[]? salt = null, string? agentId = null)
    {
        id ??= $"a{_ids++}";
        agentId ??= AgentId;
        var timestamp = Now();
        var nonce = _send.Nonce();
        var aad = Aad(id, type, channel, timestamp, agentId, module, Token, direction: 0);
        var plaintext = JsonAgentHandshake.Concat(salt ?? RandomNumberGenerator.GetBytes(16), Encoding.UTF8.GetBytes(content));
        var signature = SignatureAlgorithm.Ed25519.Sign(_identity, JsonAgentHandshake.SigningInput("json message", Signed(0, nonce, aad, plaintext)));
        var sealedBytes = new byte[plaintext.Length + 16];
        using (var cipher = _send.Cipher())
        {
            cipher.Encrypt(nonce, plaintext, sealedBytes.AsSpan(0, plaintext.Length), sealedBytes.AsSpan(plaintext.Length), aad);
        }

        _send.Counter++;
        return new JsonObject
        {
            ["id"] = id,
            ["type"] = type,
            ["channel"] = channel,
            ["payload"] = Convert.ToBase64String(sealedBytes),
            ["timestamp"] = timestamp,
            ["nonce"] = Convert.ToBase64String(nonce),
            ["signature"] = Convert.ToBase64String(signature),
            ["headers"] = new JsonObject { ["agent_id"] = agentId, ["module_id"] = module, ["session_token"] = Token },
        };
    }

    /// <summary>The next message, verified and opened; null at the close. Rekeys and tokens are obeyed as well.</summary>
    public async Task<JsonAgentMessage?> ReceiveAsync()
    {
        if (await ReceiveTextAsync() is not { } text)
        {
            return null;
        }

        var envelope = JsonNode.Parse(text)!;
        var headers = envelope["headers"]!;
        var nonce = Convert.FromBase64String(Text(envelope["nonce"]));
        Check(nonce.AsSpan().SequenceEqual(_receive.Nonce()), "the next nonce");
        var payload = Convert.FromBase64String(Text(envelope["payload"]));
        var plaintext = new byte[payload.Length - 16];
        var aad = Aad(Text(envelope["id"]), Text(envelope["type"]), Text(envelope["channel"]), envelope["timestamp"]!.GetValue<ulong>(),
            Text(headers["agent_id"]), Text(headers["module_id"]), Text(headers["session_token"]), direction: 1);
        using (var cipher = _receive.Cipher())
        {
            cipher.Decrypt(nonce, payload.AsSpan(0, plaintext.Length), payload.AsSpan(plaintext.Length), plaintext, aad);
        }

        _receive.Counter++;
        Check(JsonAgentHandshake.Verify(
            _gatewayKey, "json message", Signed(1, nonce, aad, plaintext), Convert.FromBase64String(Text(envelope["signature"]))), "the gateway's signature");
        var message = new JsonAgentMessage(
            Text(envelope["id"]), Text(envelope["type"]), Text(envelope["channel"]), JsonNode.Parse(plaintext.AsSpan(16))!);
        if (message.Channel == "session.flow.rekey")
        {
            Check(message.Content["key_epoch"]!.GetValue<uint>() == _receive.KeyEpoch + 1, "the next key_epoch");
            _receive.Rekey();
        }

        _credit = message.Channel == "session.flow.credit" ? message.Content : _credit;
        Token = message.Channel == "session.flow.token" ? Text(message.Content["token"]) : Token;
        return message;
    }

    /// <summary>Receives until a message of the channel comes.</summary>
    public async Task<JsonNode> WaitForAsync(string channel)
    {
        while (true)
        {
            var message = await ReceiveAsync() ?? throw new InvalidOperationException($"closed with {CloseCode} before {channel}");
            if (message.Channel == channel)
            {
                return message.Content;
            }
        }
    }

    /// <summary>Receives to the close; all that came.</summary>
    public async Task<List<JsonAgentMessage>> WaitForCloseAsync()
    {
        var messages = new List<JsonAgentMessage>();
        while (await ReceiveAsync() is { } message)
        {
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>No close: the connection is gone, as after a kill.</summary>
    public void Kill() => _socket.Abort();

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _identity.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<byte[]> ReceiveStructAsync(string type)
    {
        var envelope = JsonNode.Parse(await ReceiveTextAsync() ?? throw new InvalidOperationException($"closed with {CloseCode} in the handshake"))!;
        Check(Text(envelope["channel"]) == "auth" && Text(envelope["type"]) == type && Text(envelope["nonce"]).Length == 0, "an auth envelope");
        return Convert.FromBase64String(Text(envelope["payload"]));
    }

    /// <summary>The next message, not opened; null at the close.</summary>
    public async Task<string?> ReceiveTextAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var buffer = new byte[256 * 1024];
        var length = 0;
        while (true)
        {
            var result = await _socket.ReceiveAsync(buffer.AsMemory(length), patience.Token);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            Check(result.MessageType == WebSocketMessageType.Text, "a text message");
            length += result.Count;
            if (result.EndOfMessage)
            {
                return LastText = Encoding.UTF8.GetString(buffer, 0, length);
            }
        }
    }

    private byte[] Signed(byte direction, byte[] nonce, byte[] aad, byte[] plaintext) => JsonAgentHandshake.Concat(
        _sessionId, [direction], nonce, JsonAgentHandshake.Sha(aad), JsonAgentHandshake.Sha(plaintext));

    private static byte[] Aad(string id, string type, string channel, ulong timestamp, string agentId, string module, string token, byte direction) =>
        JsonAgentHandshake.Concat(
            JsonAgentHandshake.Str16(id), JsonAgentHandshake.Str16(type), JsonAgentHandshake.Str16(channel), JsonAgentHandshake.U64(timestamp),
            JsonAgentHandshake.Str16(agentId), JsonAgentHandshake.Str16(module), JsonAgentHandshake.Sha(Encoding.ASCII.GetBytes(token)), [direction]);

    private static string Text(JsonNode? node) => node!.GetValue<string>();

    private static ulong Now() => (ulong)((DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException("not as the protocol has it: " + what);
        }
    }
}
