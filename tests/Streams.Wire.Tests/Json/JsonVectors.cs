using System.Buffers;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Json;
using Streams.Wire.Messages;
using Streams.Wire.Tests.Handshake;

namespace Streams.Wire.Tests.Json;

/// <summary>Makes tests/vectors/json-v1.json: a handshake with streams.v1.json selected, from the inputs of handshake-v1.json, and messages both ways.</summary>
internal sealed class JsonVectors : IDisposable
{
    private const ulong Time = 1_750_000_001_000_000;
    private const string Agent = "agent-001";

    private static readonly byte[] Token = "header.claims.signature"u8.ToArray();

    private readonly Dictionary<string, string> _values = [];
    private readonly Pair _pair = new(HandshakeContext.Json, HandshakeContext.Json);
    private byte _salts;

    internal static Dictionary<string, string> Make()
    {
        using var vectors = new JsonVectors();
        vectors.Run();
        return vectors._values;
    }

    public void Dispose() => _pair.Dispose();

    private void Run()
    {
        _pair.Complete();
        Add("m1", Handshake(_pair.Hello, MessageType.Request, ""));
        Add("m2", Handshake(_pair.Auth, MessageType.Response, Agent));
        Add("m3", Handshake(_pair.Accept, MessageType.Event, Agent));
        Add("refusal", Handshake(RefusalMessage.Bytes.ToArray(), MessageType.Event, ""));
        Add("h3", _pair.GatewaySide.TranscriptHash);
        Add("session_id", _pair.AgentKeys!.SessionId);
        using var agent = new JsonSealer(_pair.AgentKeys, _pair.Agent, TimeProvider.System);
        using var atGateway = new JsonOpener(_pair.GatewayKeys!, fromAgent: true, _pair.Agent.PublicKey.ToArray());
        using var gateway = new JsonSealer(_pair.GatewayKeys!, _pair.Gateway, TimeProvider.System);
        using var atAgent = new JsonOpener(_pair.AgentKeys, fromAgent: false, _pair.Gateway.Certificate.PublicKey.ToArray());
        var session = new SessionMessage
        {
            Token = Token,
            Generation = 5,
            Gateway = "gw-1",
            CatalogueVersion = 1,
            CatalogueDigest = Pair.Fill(0x77),
            Watermarks = [new LaneWatermark(_pair.Claims.Epoch, 3, 17)],
        };
        var payload = new byte[session.Length];
        session.Write(payload);
        var f0 = new ArrayBufferWriter<byte>();
        GatewayContent.Write(FrameType.Session, payload, f0);
        Message("f0_session", gateway, atAgent, new EnvelopeHead("f0", MessageType.Event, "auth", Time, Agent, "comm"), f0.WrittenSpan.ToArray());
        Message("f0_ready", agent, atGateway, Head("ready", MessageType.Response, "auth", "comm"),
            """{"generation":5,"catalogue_version":1,"agent_version":"0.1.0","host":"host-1"}"""u8.ToArray());
        Message("f1_data", agent, atGateway, Head("00000000000000000000000000000001-0-0", MessageType.Event, "agent.observability", "observability"),
            """{"epoch":"00000000000000000000000000000001","lane":0,"n":0,"class":"network_connect","schema":1,"events":[{"time":1750000000000000,"seq":1,"pid":7}]}"""u8.ToArray());
        Rekey(agent, atGateway);
        Message("f3_answer", agent, atGateway, Head("cmd-1", MessageType.Response, "agent.control.status", "core"), """{"state":"received"}"""u8.ToArray());
    }

    private static EnvelopeHead Head(string id, MessageType type, string channel, string module) => new(id, type, channel, Time, Agent, module, Token);

    private static byte[] Handshake(byte[] message, MessageType type, string agentId)
    {
        var text = new byte[HandshakeEnvelope.MaxBytes];
        text = text[..HandshakeEnvelope.Write(message, type, agentId, Time, text)];
        Assert.True(HandshakeEnvelope.TryRead(text.ToArray(), fromAgent: type == MessageType.Response, out var read, out var named));
        Assert.Equal(agentId, named);
        Assert.Equal(message, read.ToArray());
        return text;
    }

    private void Rekey(JsonSealer sealer, JsonOpener opener)
    {
        var text = new byte[JsonSealer.GetMaxLength(64, Token.Length)];
        var head = Head("rekey", MessageType.Event, "session.flow.rekey", "comm");
        text = text[..sealer.SealRekeySalted(in head, Salt(), text)];
        Add("f2_rekey", text);
        Assert.Empty(Open(text, opener));
        Assert.Equal((1u, 1u), (sealer.KeyEpoch, opener.KeyEpoch));
    }

    private void Message(string name, JsonSealer sealer, JsonOpener opener, EnvelopeHead head, byte[] content)
    {
        var text = new byte[JsonSealer.GetMaxLength(content.Length, head.Token.Length)];
        text = text[..sealer.SealSalted(in head, Salt(), content, text)];
        Add(name, text);
        Assert.Equal(content, Open(text, opener));
    }

    private static byte[] Open(byte[] text, JsonOpener opener)
    {
        var copy = text.ToArray();
        var fromAgent = !copy.AsSpan().StartsWith("{\"id\":\"f0\""u8);
        Assert.Equal(WireError.None, EnvelopeReader.TryRead(copy, fromAgent, out var envelope, out _));
        Assert.Equal(WireError.None, opener.TryOpen(copy, envelope!, out var content, out _));
        return content.ToArray();
    }

    private byte[] Salt() => [.. Enumerable.Repeat((byte)(0xa0 + _salts++), 16)];

    private void Add(string name, ReadOnlySpan<byte> value) => _values.Add(name, Convert.ToHexStringLower(value));
}
