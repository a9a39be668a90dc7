using System.Text;
using System.Text.Json.Nodes;
using Streams.Wire.Handshake;
using Streams.Wire.Json;
using Streams.Wire.Tests.Handshake;

namespace Streams.Wire.Tests.Json;

/// <summary>Sealing and opening of envelopes: in order, under one key after the other, and nothing that was touched.</summary>
public sealed class JsonSealTests : IDisposable
{
    private readonly Pair _pair = new Pair(HandshakeContext.Json, HandshakeContext.Json).Complete();
    private readonly ManualTime _time = new();
    private readonly JsonSealer _agent;
    private readonly JsonOpener _gateway;
    private readonly JsonSealer _back;
    private readonly JsonOpener _forth;

    public JsonSealTests()
    {
        _agent = new JsonSealer(_pair.AgentKeys!, _pair.Agent, _time);
        _gateway = new JsonOpener(_pair.GatewayKeys!, fromAgent: true, _pair.Agent.PublicKey.ToArray());
        _back = new JsonSealer(_pair.GatewayKeys!, _pair.Gateway, _time);
        _forth = new JsonOpener(_pair.AgentKeys!, fromAgent: false, _pair.Gateway.Certificate.PublicKey.ToArray());
    }

    public void Dispose()
    {
        _agent.Dispose();
        _gateway.Dispose();
        _back.Dispose();
        _forth.Dispose();
        _pair.Dispose();
    }

    [Fact]
    public void Messages_open_in_order_in_both_directions()
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((WireError.None, $"{{\"i\":{i}}}"), Open(_gateway, Seal(_agent, Data(), $"{{\"i\":{i}}}"), true));
            Assert.Equal((WireError.None, $"{{\"i\":{i}}}"), Open(_forth, Seal(_back, Credit(), $"{{\"i\":{i}}}"), false));
        }
    }

    [Fact]
    public void Equal_contents_are_never_equal_on_the_wire_nor_are_their_signatures()
    {
        // The salt: a signature in clear over a content of few possible values would tell which it is.
        var first = JsonNode.Parse(Seal(_agent, Data(), "{}"))!;
        using var other = new Pair(HandshakeContext.Json, HandshakeContext.Json).Complete();
        using var twin = new JsonSealer(other.AgentKeys!, other.Agent, _time);
        var second = JsonNode.Parse(Seal(twin, Data(), "{}"))!;
        Assert.Equal(first["nonce"]!.GetValue<string>(), second["nonce"]!.GetValue<string>());
        Assert.NotEqual(first["payload"]!.GetValue<string>(), second["payload"]!.GetValue<string>());
        Assert.NotEqual(first["signature"]!.GetValue<string>(), second["signature"]!.GetValue<string>());
    }

    [Fact]
    public void A_key_of_120_seconds_is_changed_by_a_message_of_its_own()
    {
        Assert.False(_agent.IsRekeyDue);
        _time.Advance(Limits.MaxKeySeconds);
        Assert.True(_agent.IsRekeyDue);
        var text = new byte[JsonSealer.MaxRekeyBytes];
        var rekey = text[.._agent.SealRekey(new EnvelopeHead("r", MessageType.Event, "session.flow.rekey", 1, "agent-001", "comm"), text)];
        Assert.False(_agent.IsRekeyDue);
        Assert.Equal((1U, 0UL), (_agent.KeyEpoch, _agent.Counter));
        var after = Seal(_agent, Data(), "{}");
        Assert.Equal((WireError.None, ""), Open(_gateway, rekey, true));
        Assert.Equal(1U, _gateway.KeyEpoch);
        Assert.Equal((WireError.None, "{}"), Open(_gateway, after, true));
    }

    [Fact]
    public void Under_an_old_key_nothing_opens_any_more()
    {
        Seal(_agent, Data(), "{}");
        var text = new byte[JsonSealer.MaxRekeyBytes];
        _agent.SealRekey(new EnvelopeHead("r", MessageType.Event, "session.flow.rekey", 1, "agent-001", "comm"), text);
        Assert.Equal(WireError.BadNonce, Open(_gateway, Seal(_agent, Data(), "{}"), true).Error);
    }

    [Theory]
    [InlineData("repeated", WireError.BadNonce)]
    [InlineData("left out", WireError.BadNonce)]
    [InlineData("reflected", WireError.WrongType)]
    [InlineData("id", WireError.NotAuthentic)]
    [InlineData("channel", WireError.NotAuthentic)]
    [InlineData("timestamp", WireError.NotAuthentic)]
    [InlineData("agent_id", WireError.NotAuthentic)]
    [InlineData("session_token", WireError.NotAuthentic)]
    [InlineData("signature", WireError.BadSignature)]
    [InlineData("signature short", WireError.BadSignature)]
    [InlineData("nonce short", WireError.BadNonce)]
    [InlineData("payload short", WireError.BadValue)]
    [InlineData("payload cut", WireError.NotAuthentic)]
    public void What_was_touched_does_not_open_and_nothing_after_it(string how, WireError error)
    {
        var good = Seal(_agent, Data(), "{}");
        byte[] bad = how switch
        {
            "repeated" => good,
            "left out" => Seal(_agent, Data(), "{}"),
            "reflected" => Seal(_back, Credit(), "{}"),
            _ => Touched(good, how),
        };
        if (how == "repeated")
        {
            Assert.Equal(WireError.None, Open(_gateway, good.ToArray(), true).Error);
        }

        Assert.Equal(error, Open(_gateway, bad, true).Error);
        if (how != "reflected")
        {
            Assert.Equal(WireError.NotAllowed, Open(_gateway, Seal(_agent, Data(), "{}"), true).Error);
        }
    }

    [Fact]
    public void Every_byte_of_a_message_counts()
    {
        // Whatever one flipped bit makes of the text, it is refused; but for the case of a letter of the hexadecimal digits nothing in it is redundant.
        var good = Seal(_agent, Data(), "{\"a\":1}");
        for (var i = 0; i < good.Length; i++)
        {
            var bad = good.ToArray();
            bad[i] ^= 1;
            using var pair = new Pair(HandshakeContext.Json, HandshakeContext.Json).Complete();
            using var opener = new JsonOpener(pair.GatewayKeys!, fromAgent: true, pair.Agent.PublicKey.ToArray());
            Assert.NotEqual(WireError.None, Open(opener, bad, true).Error);
        }
    }

    [Theory]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("""{"headers":{"\udc00":1}}""")]
    [InlineData("""{"id":"\ud800"}""")]
    public void Half_a_surrogate_pair_is_no_text_and_no_fault_of_ours(string text) =>
        Assert.NotEqual(WireError.None, EnvelopeReader.TryRead(Encoding.ASCII.GetBytes(text), fromAgent: true, out _, out _));

    [Fact]
    public void The_signature_of_another_key_is_not_the_agents()
    {
        using var pair = new Pair(HandshakeContext.Json, HandshakeContext.Json).Complete();
        using var opener = new JsonOpener(pair.GatewayKeys!, fromAgent: true, pair.Gateway.Certificate.PublicKey.ToArray());
        Assert.Equal(WireError.BadSignature, Open(opener, Seal(_agent, Data(), "{}"), true).Error);
    }

    [Theory]
    [InlineData("a b", "agent.observability", "agent-001", "token")]
    [InlineData("a", "agent.\"observability", "agent-001", "token")]
    [InlineData("a", "agent.observability", "agent\\001", "token")]
    [InlineData("a", "agent.observability", "agent-001", "to\"ken")]
    public void What_would_need_an_escape_is_not_written(string id, string channel, string agent, string token) => Assert.Throws<ArgumentException>(() =>
        _agent.Seal(new EnvelopeHead(id, MessageType.Event, channel, 1, agent, "observability", Encoding.ASCII.GetBytes(token)), "{}"u8, new byte[4096]));

    private static EnvelopeHead Data() =>
        new("a1", MessageType.Event, "agent.observability", 1_750_000_000_000_000, "agent-001", "observability", "token"u8.ToArray());

    private static EnvelopeHead Credit() => new("g1", MessageType.Event, "session.flow.credit", 1_750_000_000_000_000, "agent-001", "comm");

    private static byte[] Seal(JsonSealer sealer, EnvelopeHead head, string content)
    {
        var text = new byte[JsonSealer.GetMaxLength(content.Length, head.Token.Length)];
        return text[..sealer.Seal(in head, Encoding.UTF8.GetBytes(content), text)];
    }

    private static (WireError Error, string Content) Open(JsonOpener opener, byte[] text, bool fromAgent)
    {
        var error = EnvelopeReader.TryRead(text, fromAgent, out var envelope, out _);
        if (error != WireError.None)
        {
            return (error, "");
        }

        error = opener.TryOpen(text, envelope!, out var content, out _);
        return (error, Encoding.UTF8.GetString(content));
    }

    private static byte[] Touched(byte[] text, string how)
    {
        var envelope = JsonNode.Parse(text)!;
        var headers = envelope["headers"]!;
        switch (how)
        {
            case "id": envelope["id"] = "a2"; break;
            case "channel": envelope["channel"] = "agent.observability.exec"; break;
            case "timestamp": envelope["timestamp"] = 1_750_000_000_000_001; break;
            case "agent_id": headers["agent_id"] = "agent-002"; break;
            case "session_token": headers["session_token"] = "other"; break;
            case "signature": envelope["signature"] = Convert.ToBase64String(new byte[64]); break;
            case "signature short": envelope["signature"] = Convert.ToBase64String(new byte[32]); break;
            case "nonce short": envelope["nonce"] = Convert.ToBase64String(new byte[9]); break;
            case "payload short": envelope["payload"] = Convert.ToBase64String(new byte[31]); break;
            case "payload cut": envelope["payload"] = envelope["payload"]!.GetValue<string>()[..^4]; break;
            default: throw new ArgumentException(how);
        }

        return Encoding.UTF8.GetBytes(envelope.ToJsonString());
    }
}
