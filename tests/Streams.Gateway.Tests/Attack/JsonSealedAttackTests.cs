using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Streams.Gateway.Sessions;
using Streams.Gateway.Tests.Json;
using Streams.Testing.JsonAgents;
using Streams.Wire;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests.Attack;

/// <summary>
/// <see cref="FrameAttackTests"/> for <c>streams.v1.json</c>. Each attack ends its session with 4401, the peer is told the field of its own text that is at fault and
/// no more, none is acted on, and nothing of the session is left.
/// </summary>
public sealed class JsonSealedAttackTests(AttackedGateway attacked) : IClassFixture<AttackedGateway>
{
    /// <summary>What a text that is no JSON may be refused for: that, or what stood wrong before it.</summary>
    private static readonly string[] OfForm = ["malformed", "unknown_field", "duplicate_key", "bad_value", "too_large"];

    public static TheoryData<string> AgentsMessages => ["data", "want", "heartbeat", "message", "error", "rekey"];

    /// <summary>All bytes of a heartbeat; of the others each 7th, which is in every field, as the opener does not know them apart.</summary>
    [Theory]
    [MemberData(nameof(AgentsMessages))]
    public async Task A_message_with_a_changed_byte_ends_the_session(string what)
    {
        var length = await LengthAsync(what);
        var step = what == "heartbeat" ? 1 : 7;
        await SessionsEndAsync(Enumerable.Range(0, length / step).Select(i => i * step).Select(at => Case($"{what}: byte {at}", agent =>
        {
            var good = Seal(agent, what);
            var text = good.ToArray();
            // Every 64th change makes it no text at all.
            text[at % text.Length] ^= (byte)(at % 64 == 63 ? 0x80 : 1 << (at / step % 7));
            return (EnvelopeLayout.Expect(text, good), [text]);
        })));
    }

    [Theory]
    [MemberData(nameof(AgentsMessages))]
    public async Task A_message_cut_continued_skipped_swapped_or_from_elsewhere_ends_the_session(string what)
    {
        JsonNode others;
        await using (var other = await ConnectAsync(0))
        {
            others = Envelope(other, what);
        }

        await attacked.Fixture.AssertNothingHeldAsync();
        await SessionsEndAsync(
        [
            // An empty message is no envelope with a fault: there is nothing to tell.
            Case($"{what} cut to nothing", _ => (EnvelopeLayout.Good, [[]])),
            .. new[] { 1, 2, 40, 400, -100, -2, -1 }.Select(cut => Case($"{what} cut to {cut}", agent =>
            {
                var text = Seal(agent, what);
                return (("malformed", ""), [text[..(cut < 0 ? text.Length + cut : cut)]]);
            })),
            .. new[] { "{}", "]", "x", "\0" }.Select(more => Case($"{what} continued with {more}", agent => (("malformed", ""), [[.. Seal(agent, what), .. Encoding.ASCII.GetBytes(more)]]))),
            Case($"{what} twice in one message", agent => (("malformed", ""), [[.. Seal(agent, what), .. Seal(agent, what)]])),
            Case($"{what} skipped", agent =>
            {
                Seal(agent, what);
                return (("bad_nonce", "nonce"), [Seal(agent, what)]);
            }),
            Case($"{what} swapped with the one after it", agent =>
            {
                var first = Seal(agent, what);
                return (("bad_nonce", "nonce"), [Seal(agent, what), first]);
            }),
            Case($"{what} of another session at this place", _ => (("bad_nonce", "nonce"), [Bytes(others)])),
            Case($"{what} of another session under the nonce of this place", agent => (("not_authentic", "payload"), [Changed(others, "nonce", Envelope(agent, what)["nonce"]!)])),
            Case($"{what} with the payload of the one after it", agent =>
            {
                var first = Envelope(agent, what);
                return (("not_authentic", "payload"), [Changed(first, "payload", Envelope(agent, what)["payload"]!)]);
            }),
            Case($"{what} with the signature of the one after it", agent =>
            {
                var first = Envelope(agent, what);
                return (("bad_signature", "signature"), [Changed(first, "signature", Envelope(agent, what)["signature"]!)]);
            }),
            Case($"{what} with another session's signature", agent => (("bad_signature", "signature"), [Changed(Envelope(agent, what), "signature", others["signature"]!)])),
            Case($"{what} with a payload cut", agent =>
            {
                var envelope = Envelope(agent, what);
                return (("not_authentic", "payload"), [Changed(envelope, "payload", Convert.ToBase64String(Convert.FromBase64String(envelope["payload"]!.GetValue<string>())[..^1]))]);
            }),
            Case($"{what} with a payload continued", agent =>
            {
                var envelope = Envelope(agent, what);
                return (("not_authentic", "payload"), [Changed(envelope, "payload", Convert.ToBase64String([.. Convert.FromBase64String(envelope["payload"]!.GetValue<string>()), 0]))]);
            }),
        ]);
    }

    [Fact]
    public Task A_message_that_was_taken_is_not_taken_again() => SessionsEndAsync(
        new[] { "want", "heartbeat", "error", "rekey" }.Select(what => Case($"{what} repeated", agent =>
        {
            var text = Seal(agent, what);
            return (("bad_nonce", "nonce"), [text, text]);
        })), taken: 4);

    /// <summary>The gateway's own words, and what is left of them under the agent's next nonce.</summary>
    [Fact]
    public Task What_the_gateway_said_is_not_the_agents() => SessionsEndAsync(
    [
        Case("credit reflected", agent => (("wrong_type", "type"), [Encoding.UTF8.GetBytes(agent.LastText)])),
        Case("credit reflected as a want", agent => (("bad_nonce", "nonce"), [Changed(JsonNode.Parse(agent.LastText)!, "type", "request")])),
        Case("credit reflected as a want under the next nonce", agent =>
        {
            var reflected = JsonNode.Parse(agent.LastText)!;
            reflected["type"] = "request";
            return (("not_authentic", "payload"), [Changed(reflected, "nonce", Envelope(agent, "want")["nonce"]!)]);
        }),
        Case("a heartbeat under the gateway's direction", agent =>
        {
            var reflected = JsonNode.Parse(agent.LastText)!;
            (reflected["channel"], reflected["nonce"]) = ("heartbeat", Envelope(agent, "heartbeat")["nonce"]!.DeepClone());
            return (("not_authentic", "payload"), [Bytes(reflected)]);
        }),
    ]);

    /// <summary>A token is worth nothing outside its own session, however well the message around it is sealed. In streams.v1.bin no message of the agent has one.</summary>
    [Theory]
    [InlineData("data")]
    [InlineData("heartbeat")]
    [InlineData("message")]
    [InlineData("rekey")]
    [InlineData("ready")]
    public async Task A_token_of_another_living_session_ends_this_one_and_not_its_own(string what)
    {
        string former;
        await using (var ended = await ConnectAsync(0))
        {
            former = ended.Token;
        }

        await attacked.Fixture.AssertNothingHeldAsync();
        await using (var json = await JsonRun.ConnectAsync(attacked.Fixture, JsonRun.NewEpoch(), $"bystander-{what}-j"))
        {
            using var identity = await attacked.Fixture.EnrolAsync($"bystander-{what}-b");
            await using var binary = await attacked.Fixture.ConnectAsync(identity);
            foreach (var token in new[] { json.Token, Encoding.ASCII.GetString(binary.Session.Token.Span), former, "" })
            {
                var acted = Acted();
                await using var agent = what == "ready" ? await AcceptAsync(0) : await ConnectAsync(0);
                var own = agent.Token;
                agent.Token = token;
                await agent.SendTextAsync(Seal(agent, what));
                agent.Token = own;
                await agent.SendTextAsync(Seal(agent, what));
                Assert.Equal([("bad_token", "headers.session_token"), ("goodbye", "protocol")], Errors(await agent.WaitForCloseAsync()));
                Assert.Equal((int)CloseCode.Protocol, agent.CloseCode);
                Assert.Equal(acted, Acted());
            }

            foreach (var bystander in new[] { json.AgentId, identity.AgentId })
            {
                Assert.Equal(SessionEnd.None, attacked.Fixture.Server.Core.Registry.Find(bystander)?.Ended);
            }
        }

        await attacked.Fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Ready_that_is_not_exactly_this_sessions_begins_nothing()
    {
        byte[] others;
        int length;
        await using (var other = await AcceptAsync(0))
        {
            others = Seal(other, "ready");
            length = others.Length;
        }

        await attacked.Fixture.AssertNothingHeldAsync();
        var opened = attacked.Counters("streams.gateway.sessions.opened").Values.Sum();
        var expected = new ConcurrentDictionary<string, long>();
        Func<JsonAgent, ((string, string), byte[])>[] cases =
        [
            .. Enumerable.Range(0, length / 3).Select(i => i * 3).Select(at => (Func<JsonAgent, ((string, string), byte[])>)(agent =>
            {
                var good = Seal(agent, "ready");
                var text = good.ToArray();
                text[at % text.Length] ^= (byte)(at % 64 == 63 ? 0x80 : 1 << (at / 3 % 7));
                return (EnvelopeLayout.Expect(text, good), text);
            })),
            _ => (("bad_nonce", "nonce"), others),
            agent => (("malformed", ""), Seal(agent, "ready")[..^1]),
            agent => (("malformed", ""), [.. Seal(agent, "ready"), (byte)'}']),
            agent => (EnvelopeLayout.Good, Seal(agent, "heartbeat")),
            // Without credit, of which there is none yet, data are not even looked at.
            agent => (EnvelopeLayout.Good, Seal(agent, "data")),
            agent =>
            {
                Seal(agent, "ready");
                return (("bad_nonce", "nonce"), Seal(agent, "ready"));
            },
        ];
        var refused = await attacked.CountAsync("streams.gateway.handshakes.refused", begin: false, () => AttackedGateway.RunAsync(cases, async (attack, lane) =>
        {
            await using var agent = await AcceptAsync(lane);
            var (fault, text) = attack(agent);
            await agent.SendTextAsync(text);
            await AssertToldAsync(agent, fault, Encoding.UTF8.GetString(text));
            expected.AddOrUpdate(fault == EnvelopeLayout.NoText ? nameof(RefusalReason.Disconnected) : nameof(RefusalReason.NotConfirmed), 1, (_, sum) => sum + 1);
        }));
        Assert.Equal(expected.OrderBy(e => e.Key), refused.OrderBy(e => e.Key));
        Assert.Equal(opened, attacked.Counters("streams.gateway.sessions.opened").Values.Sum());
    }

    /// <summary>Each case in a session of its own, which it must end; what was sent must not have been acted on.</summary>
    /// <param name="taken">Messages among them that are good.</param>
    private async Task SessionsEndAsync(IEnumerable<(string Name, Func<JsonAgent, ((string, string), byte[][])> Attack)> cases, long taken = 0)
    {
        var expected = new ConcurrentDictionary<string, long>();
        var told = new ConcurrentDictionary<string, long>();
        var before = attacked.Counters("streams.gateway.messages.refused");
        var acted = Acted();
        var ended = await attacked.CountAsync("streams.gateway.sessions.ended", begin: true, () => AttackedGateway.RunAsync(cases, async (one, lane) =>
        {
            await using var agent = await ConnectAsync(lane);
            var (fault, texts) = one.Attack(agent);
            foreach (var text in texts)
            {
                await agent.SendTextAsync(text);
            }

            expected.AddOrUpdate(fault == EnvelopeLayout.NoText ? "disconnected" : "protocol", 1, (_, sum) => sum + 1);
            if (await AssertToldAsync(agent, fault, one.Name) is { } code)
            {
                told.AddOrUpdate("gateway," + code, 1, (_, sum) => sum + 1);
            }
        }));
        Assert.Equal(expected.OrderBy(e => e.Key), ended.OrderBy(e => e.Key));
        Assert.Equal(
            told.OrderBy(e => e.Key),
            attacked.Counters("streams.gateway.messages.refused").Where(counter => counter.Key.StartsWith("gateway,", StringComparison.Ordinal))
                .Select(counter => KeyValuePair.Create(counter.Key, counter.Value - before.GetValueOrDefault(counter.Key))).Where(counter => counter.Value != 0).OrderBy(e => e.Key));
        Assert.Equal(acted + taken, Acted());
    }

    /// <returns>The code that the peer was told beside the goodbye.</returns>
    private static async Task<string?> AssertToldAsync(JsonAgent agent, (string Code, string Field) fault, string name)
    {
        var said = await agent.WaitForCloseAsync();
        // The gateway's own first heartbeat may fall into any session.
        Assert.All(said, message => Assert.Contains(message.Channel, new[] { "session.flow.error", "session.flow.credit", "heartbeat" }));
        var errors = Errors(said);
        if (fault == EnvelopeLayout.NoText)
        {
            Assert.Equal((name, (int)WebSocketCloseStatus.InvalidPayloadData, 0), (name, agent.CloseCode ?? 0, errors.Count));
            return null;
        }

        Assert.Equal((name, (int)CloseCode.Protocol, ("goodbye", "protocol")), (name, agent.CloseCode ?? 0, errors.LastOrDefault()));
        if (fault == EnvelopeLayout.Good)
        {
            Assert.True(errors.Count == 1, name);
            return null;
        }

        Assert.True(errors.Count == 2, name);
        if (fault.Code == "malformed")
        {
            Assert.Contains(errors[0].Code, OfForm);
        }
        else
        {
            Assert.Equal((name, fault), (name, errors[0]));
        }

        return errors[0].Code;
    }

    private static List<(string Code, string Field)> Errors(List<JsonAgentMessage> said) =>
        [.. said.Where(message => message.Channel == "session.flow.error")
            .Select(message => (message.Content["code"]!.GetValue<string>(), message.Content["detail"]!.GetValue<string>()))];

    /// <summary>Messages that the gateway did something for: control messages that opened, batches handed on, messages taken.</summary>
    private long Acted() =>
        attacked.Counters("streams.gateway.control").Where(counter => counter.Key.StartsWith("received", StringComparison.Ordinal)).Sum(counter => counter.Value)
        + new[] { "streams.gateway.sent", "streams.gateway.messages" }.Sum(name => attacked.Counters(name).Sum(counter => counter.Value));

    private async Task<int> LengthAsync(string what)
    {
        int length;
        await using (var agent = await ConnectAsync(0))
        {
            length = Seal(agent, what).Length;
        }

        await attacked.Fixture.AssertNothingHeldAsync();
        return length;
    }

    private Task<JsonAgent> ConnectAsync(int lane) =>
        JsonRun.ConnectAsync(attacked.Fixture, JsonRun.NewEpoch(), attacked.Agents[lane].AgentId, attacked.Seeds[lane]);

    private Task<JsonAgent> AcceptAsync(int lane) =>
        JsonRun.AcceptAsync(attacked.Fixture, JsonRun.NewEpoch(), attacked.Agents[lane].AgentId, attacked.Seeds[lane]);

    private static (string, Func<JsonAgent, ((string, string), byte[][])>) Case(string name, Func<JsonAgent, ((string, string), byte[][])> attack) => (name, attack);

    private static byte[] Seal(JsonAgent agent, string what) => Bytes(Envelope(agent, what));

    private static byte[] Bytes(JsonNode envelope) => Encoding.UTF8.GetBytes(JsonRun.Plain(envelope.ToJsonString()));

    private static byte[] Changed(JsonNode envelope, string field, JsonNode value)
    {
        var changed = envelope.DeepClone();
        changed[field] = value.DeepClone();
        return Bytes(changed);
    }

    private static JsonObject Envelope(JsonAgent agent, string what)
    {
        const string epoch = "00000000000000000ddcb9f1ccd763b3";
        return what switch
        {
            "data" => agent.Seal("agent.observability", "event", "observability", JsonRun.Batch(epoch, 1, 0).ToJsonString(), JsonRun.Id(epoch, 1, 0)),
            "want" => agent.Seal("session.flow.credit", "request", "comm", "{}"),
            "heartbeat" => agent.Seal("heartbeat", "event", "comm", """{"sent_at":77}"""),
            "error" => agent.Seal("session.flow.error", "event", "comm", """{"code":"unsupported","channel":"agent.control","id":"none","detail":"","retry_after":0}"""),
            "rekey" => agent.Seal("session.flow.rekey", "event", "comm", """{"key_epoch":1}"""),
            "ready" => agent.Seal("auth", "response", "comm", $$"""{"generation":{{agent.Generation}},"catalogue_version":1,"agent_version":"attack","host":"host"}"""),
            _ => agent.Seal("agent.analysis.report", "response", "analysis", """{"state":"well"}"""),
        };
    }
}
