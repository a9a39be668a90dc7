using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Streams.Gateway.Tests.Json;
using Streams.Testing.JsonAgents;
using Streams.Wire;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests.Attack;

/// <summary>
/// <see cref="HandshakeAttackTests"/> for <c>streams.v1.json</c>: M2 in its envelope, of which only the struct is signed. Whatever becomes of the text, the gateway
/// tells its peer nothing but no, counts why, and keeps nothing.
/// </summary>
public sealed class JsonHandshakeAttackTests(AttackedGateway attacked) : IClassFixture<AttackedGateway>
{
    private const string Refused = "streams.gateway.handshakes.refused";

    private static ulong _connects;

    private Dictionary<string, byte[]> Keys => attacked.Agents.ToDictionary(agent => agent.AgentId, agent => agent.PublicKey.ToArray());

    private Uri Address => new($"ws://{attacked.Fixture.Server.Address}");

    /// <summary>
    /// Two changes of each byte. The eighth bit, which makes any text none, of every 16th: that is for the WebSocket to see. All bits of the payload's end, where
    /// base64 has bits that a lax decoder passes over.
    /// </summary>
    [Fact]
    public Task Every_byte_of_M2s_text_flipped() => JudgedAsync(text =>
    {
        var end = Encoding.ASCII.GetString(text).IndexOf("\",\"timestamp\"", StringComparison.Ordinal);
        return Enumerable.Range(0, text.Length).SelectMany(at => new[] { 1 << (at % 7), 0x5f }.Select(bits => Flip(text, at, bits)))
            .Concat(Enumerable.Range(0, text.Length / 16).Select(i => Flip(text, i * 16, 0x80)))
            .Concat(Enumerable.Range(end - 4, 4).SelectMany(at => Enumerable.Range(0, 7).Select(bit => Flip(text, at, 1 << bit))));
    });

    /// <summary>White space outside the values is JSON's own, and changes nothing that anybody means.</summary>
    [Fact]
    public Task M2s_text_cut_at_every_length_or_continued() => JudgedAsync(text =>
        [.. Enumerable.Range(0, text.Length).Select(length => text[..length]),
         .. new[] { "{}", "]", "\0", "null", ",", " " }.Select(more => (byte[])[.. text, .. Encoding.ASCII.GetBytes(more)]),
         [.. text, .. text]]);

    [Fact]
    public async Task Envelopes_of_M2_that_say_more_less_or_something_else()
    {
        var others = await SampleAsync();
        await ForgedAsync(
        [
            ("of another connection", RefusalReason.BadSignature, _ => others),
            ("a nonce", RefusalReason.Malformed, With("nonce", "AAAAAAAAAAAAAAAA")),
            ("a signature", RefusalReason.Malformed, With("signature", Convert.ToBase64String(new byte[64]))),
            ("a token", RefusalReason.Malformed, WithHeader("session_token", "header.claims.signature")),
            ("the neighbour's name in the header", RefusalReason.Malformed, WithHeader("agent_id", attacked.Neighbour.AgentId)),
            ("no name in the header", RefusalReason.Malformed, WithHeader("agent_id", "")),
            ("another module", RefusalReason.Malformed, WithHeader("module_id", "core")),
            ("another channel", RefusalReason.Malformed, With("channel", "heartbeat")),
            ("an action", RefusalReason.Malformed, With("channel", "auth.")),
            ("M1's type", RefusalReason.Malformed, With("type", "request")),
            ("M3's type", RefusalReason.Malformed, With("type", "event")),
            ("a payload without its padding", RefusalReason.Malformed, text => WithPayload(text, payload => payload.TrimEnd('=') is var bare && bare != payload ? bare : payload[..^1])),
            ("a blank in the payload", RefusalReason.Malformed, text => WithPayload(text, payload => payload.Insert(8, " "))),
            ("a line's end in the payload", RefusalReason.Malformed, text => WithPayload(text, payload => payload.Insert(76, "\r\n"))),
            ("a blank behind the payload", RefusalReason.Malformed, text => WithPayload(text, payload => payload + " ")),
            ("base64url", RefusalReason.Malformed, text => WithPayload(text, payload => "-_" + payload[2..])),
            ("no payload", RefusalReason.Malformed, With("payload", "")),
            ("M3's form", RefusalReason.Malformed, With("payload", Convert.ToBase64String([3, .. new byte[64]]))),
            ("a refusal", RefusalReason.Malformed, With("payload", Convert.ToBase64String(RefusalMessage.Bytes))),
            ("a struct above 4,096 bytes", RefusalReason.Malformed, With("payload", Convert.ToBase64String(new byte[4097]))),
            ("larger than any envelope of a handshake", RefusalReason.TooLarge, text => text + new string(' ', 8192)),
            ("a field twice", RefusalReason.Malformed, text => text[..^1] + ",\"nonce\":\"\"}"),
            ("a field more", RefusalReason.Malformed, text => text[..^1] + ",\"more\":1}"),
            ("an array", RefusalReason.Malformed, text => $"[{text}]"),
            ("a string", RefusalReason.Malformed, text => JsonValue.Create(text).ToJsonString()),
            ("nothing", RefusalReason.Malformed, _ => ""),
        ]);

        static Func<string, string> With(string name, string value) => text => Changed(text, envelope => envelope[name] = value);
        static Func<string, string> WithHeader(string name, string value) => text => Changed(text, envelope => envelope["headers"]![name] = value);
        static string WithPayload(string text, Func<string, string> change) =>
            Changed(text, envelope => envelope["payload"] = change(envelope["payload"]!.GetValue<string>()));
    }

    /// <summary>A man in the middle: what the agent offered, and what it was told, are in what it signs.</summary>
    [Theory]
    [InlineData("streams.v1.json", "streams.v1.json, streams.v1.bin")]
    [InlineData("streams.v1.json", "streams.v1.bin, streams.v1.json")]
    [InlineData("streams.v1.json", "streams.v1.bin")]
    [InlineData("streams.v1.json", "chat")]
    public async Task An_offer_that_somebody_changed_on_the_way(string arrived, string offered)
    {
        Assert.Equal(RefusalReason.BadSignature, await RefusedForAsync(agent =>
            agent.AuthAsync(attacked.Fixture.RootKey, JsonRun.NewEpoch(), Interlocked.Increment(ref _connects), offered: offered), arrived));
    }

    [Fact]
    public async Task An_agent_of_the_other_subprotocol_at_the_other_end_of_a_translator()
    {
        // Its M2 taken out of the envelope, on a connection of streams.v1.bin.
        var refused = await attacked.CountAsync(Refused, begin: false, async () =>
        {
            await using var gateway = await attacked.UpgradeAsync();
            var hello = await gateway.ReceiveAsync();
            await using var agent = await UpgradeAsync(0);
            var auth = await agent.AuthAsync(attacked.Fixture.RootKey, JsonRun.NewEpoch(), Interlocked.Increment(ref _connects), onTheWay: _ => hello!);
            await gateway.SendRawAsync(Convert.FromBase64String(JsonNode.Parse(auth)!["payload"]!.GetValue<string>()));
            Assert.Equal(RefusalMessage.Bytes.ToArray(), await gateway.ReceiveAsync());
            Assert.Null(await gateway.ReceiveAsync());
        });
        Assert.Equal(1, refused[nameof(RefusalReason.BadSignature)]);

        // The other way round is an M2 with the binary prologue, which An_offer_that_somebody_changed_on_the_way has; and here the struct without its envelope.
        refused = await attacked.CountAsync(Refused, begin: false, async () =>
        {
            await using var agent = await UpgradeAsync(0);
            var auth = JsonNode.Parse(await AuthAsync(agent))!["payload"]!.GetValue<string>();
            await agent.SendBinaryAsync(Convert.FromBase64String(auth));
            await AssertToldNothingAsync(agent, "the struct alone");
        });
        Assert.Equal(new Dictionary<string, long> { [nameof(RefusalReason.Malformed)] = 1 }, refused);
    }

    [Theory]
    [InlineData("")]
    [InlineData("streams.v2.json")]
    public async Task An_offer_that_was_stripped_gets_no_connection(string subprotocol)
    {
        var refused = await attacked.CountAsync(Refused, begin: false, async () =>
        {
            var error = await Assert.ThrowsAsync<WebSocketException>(() => JsonAgent.UpgradeAsync(Address, attacked.Victim.AgentId, attacked.Seeds[0], subprotocol));
            Assert.Contains("'400'", error.Message, StringComparison.Ordinal);
        });
        Assert.Equal(new Dictionary<string, long> { ["upgrade"] = 1 }, refused);
    }

    [Fact]
    public async Task What_a_man_in_the_middle_changes_in_M1_is_in_the_agents_signature()
    {
        // Ephemeral key, nonce and time: what stands before them the agent judges itself.
        var refused = await attacked.CountAsync(Refused, begin: false, () => AttackedGateway.RunAsync(Enumerable.Range(1, 72), async (back, lane) =>
        {
            await using var agent = await UpgradeAsync(lane);
            await agent.SendTextAsync(await agent.AuthAsync(
                attacked.Fixture.RootKey, JsonRun.NewEpoch(), Interlocked.Increment(ref _connects), onTheWay: hello => Flip(hello, hello.Length - back, 1 << (back % 8))));
            await AssertToldNothingAsync(agent, $"byte {back} from M1's end");
        }));
        Assert.Equal(new Dictionary<string, long> { [nameof(RefusalReason.BadSignature)] = 72 }, refused);
    }

    [Fact]
    public async Task M2_that_is_M1_reflected_or_comes_twice()
    {
        Assert.Equal(RefusalReason.Malformed, await RefusedForAsync(async agent =>
        {
            await AuthAsync(agent);
            return agent.LastText;
        }));

        var refused = await attacked.CountAsync(Refused, begin: false, async () =>
        {
            await using var agent = await UpgradeAsync(0);
            var text = await AuthAsync(agent);
            await agent.SendTextAsync(text);
            await agent.FinishAsync();
            await agent.SendTextAsync(text);
            var said = await agent.WaitForCloseAsync();
            Assert.Equal(4401, agent.CloseCode);
            Assert.All(said, message => Assert.Equal("session.flow.error", message.Channel));
        });
        Assert.Equal(new Dictionary<string, long> { [nameof(RefusalReason.NotConfirmed)] = 1 }, refused);
    }

    private async Task JudgedAsync(Func<byte[], IEnumerable<byte[]>> change)
    {
        var count = change(Encoding.UTF8.GetBytes(await SampleAsync())).Count();
        var opened = attacked.Counters("streams.gateway.sessions.opened").Values.Sum();
        var expected = new ConcurrentDictionary<string, long>();
        var keys = Keys;
        var refused = await attacked.CountAsync(Refused, begin: false, () => AttackedGateway.RunAsync(Enumerable.Range(0, count), async (at, lane) =>
        {
            await using var agent = await UpgradeAsync(lane);
            var good = Encoding.UTF8.GetBytes(await AuthAsync(agent));
            var text = change(good).ElementAt(at);
            var reason = EnvelopeLayout.ExpectAuth(text, good, keys);
            await agent.SendTextAsync(text);
            switch (reason)
            {
                case RefusalReason.None:
                    // The same M2: M3 comes, and without a ready nothing begins.
                    await agent.FinishAsync();
                    reason = RefusalReason.Disconnected;
                    break;
                case RefusalReason.Disconnected:
                    Assert.Null(await agent.ReceiveTextAsync());
                    Assert.Equal((int)WebSocketCloseStatus.InvalidPayloadData, agent.CloseCode);
                    break;
                default:
                    await AssertToldNothingAsync(agent, $"{reason}: {Encoding.UTF8.GetString(text)}");
                    break;
            }

            expected.AddOrUpdate(reason.ToString(), 1, (_, sum) => sum + 1);
        }));
        Assert.Equal(expected.OrderBy(e => e.Key), refused.OrderBy(e => e.Key));
        Assert.Equal(opened, attacked.Counters("streams.gateway.sessions.opened").Values.Sum());
    }

    private async Task ForgedAsync(params (string Name, RefusalReason Reason, Func<string, string> Forge)[] cases)
    {
        foreach (var (name, reason, forge) in cases)
        {
            Assert.Equal((name, reason), (name, await RefusedForAsync(async agent => forge(await AuthAsync(agent)))));
        }
    }

    /// <summary>Sends what is made of M1, which must be refused, and says what for.</summary>
    private async Task<RefusalReason> RefusedForAsync(Func<JsonAgent, Task<string>> answer, string subprotocol = Protocol.JsonSubprotocol)
    {
        var refused = await attacked.CountAsync(Refused, begin: false, async () =>
        {
            await using var agent = await UpgradeAsync(0, subprotocol);
            var text = await answer(agent);
            await agent.SendTextAsync(text);
            await AssertToldNothingAsync(agent, text);
        });
        Assert.Equal(1, Assert.Single(refused).Value);
        return Enum.Parse<RefusalReason>(refused.Keys.Single());
    }

    private static async Task AssertToldNothingAsync(JsonAgent agent, string name)
    {
        var text = await agent.ReceiveTextAsync();
        Assert.True(text is not null, $"{name}: closed with {agent.CloseCode}");
        var envelope = JsonNode.Parse(text)!.AsObject();
        Assert.True(envelope.Remove("timestamp"), name);
        Assert.Equal(
            """{"id":"auth","type":"event","channel":"auth","payload":"DwE=","nonce":"","signature":"","headers":{"agent_id":"","module_id":"comm","session_token":""}}""",
            envelope.ToJsonString());
        Assert.True(await agent.ReceiveTextAsync() is null, $"{name}: more than a refusal");
        Assert.True(agent.CloseCode == (int)CloseCode.Refused && string.IsNullOrEmpty(agent.CloseDescription), name);
    }

    /// <summary>A good M2, of a connection that is over and counted.</summary>
    private async Task<string> SampleAsync()
    {
        string text;
        await using (var agent = await UpgradeAsync(0))
        {
            text = await AuthAsync(agent);
        }

        await attacked.Fixture.AssertNothingHeldAsync();
        return text;
    }

    private Task<JsonAgent> UpgradeAsync(int lane, string subprotocol = Protocol.JsonSubprotocol) =>
        JsonAgent.UpgradeAsync(Address, attacked.Agents[lane].AgentId, attacked.Seeds[lane], subprotocol);

    /// <summary>M2 with no escape in it, so that it is always of one length.</summary>
    private async Task<string> AuthAsync(JsonAgent agent) =>
        JsonRun.Plain(await agent.AuthAsync(attacked.Fixture.RootKey, JsonRun.NewEpoch(), Interlocked.Increment(ref _connects)));

    private static string Changed(string text, Action<JsonNode> change)
    {
        var envelope = JsonNode.Parse(text)!;
        change(envelope);
        return envelope.ToJsonString();
    }

    private static byte[] Flip(byte[] message, int at, int bits)
    {
        var copy = message.ToArray();
        copy[at] ^= (byte)bits;
        return copy;
    }
}
