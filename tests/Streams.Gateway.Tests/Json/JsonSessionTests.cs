using System.Text;
using System.Text.Json.Nodes;
using Streams.Gateway.Tests.Support;
using Streams.Queue;
using Streams.Schema;
using Streams.Testing;
using Streams.Testing.JsonAgents;
using Streams.Wire;

namespace Streams.Gateway.Tests.Json;

/// <summary>Sessions of <c>streams.v1.json</c>: the rooms are those of the binary ones, the messages are a stranger's.</summary>
public sealed class JsonSessionTests
{
    private const int Protocol = 4401;

    private readonly string _epoch = JsonRun.NewEpoch();

    [Fact]
    public async Task Batches_go_to_the_queue_as_they_were_said_and_everything_is_given_back()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using (var agent = await JsonRun.ConnectAsync(fixture, _epoch))
        {
            var contents = Enumerable.Range(0, 3).Select(n => JsonRun.Batch(_epoch, 7, (uint)n)).ToArray();
            foreach (var content in contents)
            {
                await JsonRun.SendAsync(agent, content);
            }

            await agent.HeartbeatAsync();
            var messages = await fixture.ReadAsync("stranger-1", 3);
            Assert.Equal(contents.Select(content => content.ToJsonString()), messages.Select(message => Encoding.UTF8.GetString(message.Payload)));
            Assert.All(messages, message => Assert.Equal(
                (MessageEncoding.Json, PriorityClass.Event, 7U, 1U, agent.Generation),
                (message.Headers.Encoding, message.Headers.Class, message.Headers.Lane, message.Headers.Count, message.Headers.Generation)));
            Assert.Equal([0U, 1U, 2U], messages.Select(message => message.Headers.First));
            Assert.Equal(_epoch, messages[0].Headers.Epoch.ToString());
        }

        await fixture.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("field twice", "duplicate_key", "nonce")]
    [InlineData("unknown field", "unknown_field", "extra")]
    [InlineData("unknown header", "unknown_field", "headers.extra")]
    [InlineData("no timestamp", "missing_field", "timestamp")]
    [InlineData("no token field", "missing_field", "headers.session_token")]
    [InlineData("timestamp 1.5", "bad_value", "timestamp")]
    [InlineData("timestamp 2^53+1", "bad_value", "timestamp")]
    [InlineData("id with a blank", "bad_value", "id")]
    [InlineData("id too long", "too_large", "id")]
    [InlineData("type command", "bad_value", "type")]
    [InlineData("unknown channel", "unknown_channel", "channel")]
    [InlineData("gateway's channel", "wrong_direction", "channel")]
    [InlineData("other module", "wrong_module", "headers.module_id")]
    [InlineData("other type", "wrong_type", "type")]
    [InlineData("not JSON", "malformed", "")]
    [InlineData("two documents", "malformed", "")]
    [InlineData("half a surrogate pair", "malformed", "")]
    [InlineData("payload spoilt", "not_authentic", "payload")]
    [InlineData("payload with a blank", "bad_value", "payload")]
    [InlineData("timestamp changed", "not_authentic", "payload")]
    [InlineData("module's action changed", "not_authentic", "payload")]
    [InlineData("a message left out", "bad_nonce", "nonce")]
    [InlineData("signature of another", "bad_signature", "signature")]
    [InlineData("token of nobody", "bad_token", "headers.session_token")]
    [InlineData("no token", "bad_token", "headers.session_token")]
    [InlineData("other agent", "bad_agent", "headers.agent_id")]
    public async Task An_envelope_is_refused_by_the_name_of_its_field(string how, string code, string field)
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        await agent.SendTextAsync(Spoilt(agent, how));
        var said = await agent.WaitForCloseAsync();
        Assert.Equal(Protocol, agent.CloseCode);
        var errors = said.Where(message => message.Channel == "session.flow.error").Select(message => message.Content).ToList();
        Assert.Equal(
            [(code, field), ("goodbye", "protocol")],
            errors.Select(error => (error["code"]!.GetValue<string>(), error["detail"]!.GetValue<string>())));
        await fixture.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("epoch", "bad_value")]
    [InlineData("lane", "bad_value")]
    [InlineData("n", "bad_value")]
    [InlineData("class", "bad_value")]
    [InlineData("events", "missing_field")]
    [InlineData("surplus", "unknown_field")]
    public async Task A_batch_that_is_not_what_its_envelope_says_is_refused_by_the_name_of_its_field(string field, string code)
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        var batch = JsonRun.Batch(_epoch, 1, 0);
        var id = JsonRun.Id(_epoch, 1, 0);
        switch (field)
        {
            case "epoch": batch[field] = JsonRun.NewEpoch(); break;
            // A class of agent.telemetry.
            case "class": batch[field] = "host_metric"; break;
            case "events": batch.Remove(field); break;
            default: batch[field] = 5; break;
        }

        await JsonRun.SendAsync(agent, batch, id);
        var said = await agent.WaitForCloseAsync();
        Assert.Equal((Protocol, code, field, id), (agent.CloseCode, Text(said, "code"), Text(said, "detail"), Text(said, "id")));
    }

    [Theory]
    [InlineData("""{"\ud800":1}""", "malformed")]
    [InlineData("""{"epoch":"\udc00"}""", "bad_value")]
    public async Task A_batch_that_is_no_text_ends_its_own_session_and_no_other(string content, string code)
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var neighbour = await fixture.ConnectAsync(identity);
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        content += new string(' ', 200);
        await agent.SendTextAsync(agent.Seal("agent.observability", "event", "observability", content, JsonRun.Id(_epoch, 1, 0)).ToJsonString());
        var said = await agent.WaitForCloseAsync();
        Assert.Equal((Protocol, code), (agent.CloseCode, Text(said, "code")));
        await neighbour.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await neighbour.SendDataAsync(Batches.Pad(Batches.Make(neighbour.Epoch, 1, 0)));
        Assert.Single(await fixture.ReadAsync("agent-1", 1));
    }

    [Fact]
    public async Task Values_with_escapes_are_the_same_values()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        var text = agent.Seal("agent.observability", "event", "observability", JsonRun.Batch(_epoch, 1, 0).ToJsonString(), JsonRun.Id(_epoch, 1, 0)).ToJsonString();
        await agent.SendTextAsync(text.Replace("/", "\\/", StringComparison.Ordinal)
            .Replace("\"channel\"", "\"\\u0063hannel\"", StringComparison.Ordinal).Replace("agent.observability", "\\u0061gent.observability", StringComparison.Ordinal));
        Assert.Single(await fixture.ReadAsync("stranger-1", 1));
    }

    [Fact]
    public async Task Data_beyond_the_credit_end_the_session_and_want_gives_more()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        var large = JsonRun.Batch(_epoch, 1, 0);
        large["events"]![0]!["argv"] = new string('x', 60_000);
        await agent.WantAsync("event", 100_000, 100_000);
        while (agent.Credit("event") < 100_000)
        {
            await agent.ReceiveAsync();
        }

        await JsonRun.SendAsync(agent, large);
        Assert.Single(await fixture.ReadAsync("stranger-1", 1));

        // It is never asked for more: at some message the credit is over, however much there was.
        for (uint n = 1; n < 32 && agent.IsOpen; n++)
        {
            large["n"] = n;
            await JsonRun.SendAsync(agent, large);
        }

        await agent.WaitForCloseAsync();
        Assert.Equal(4402, agent.CloseCode);
        await fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task The_agent_changes_its_key_and_skipping_one_ends_the_session()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        await JsonRun.SendAsync(agent, JsonRun.Batch(_epoch, 1, 0));
        await agent.RekeyAsync();
        await JsonRun.SendAsync(agent, JsonRun.Batch(_epoch, 1, 1));
        await agent.RekeyAsync();
        await agent.HeartbeatAsync();
        await JsonRun.SendAsync(agent, JsonRun.Batch(_epoch, 1, 2));
        Assert.Equal(3, (await fixture.ReadAsync("stranger-1", 3)).Count);
        Assert.Equal(2U, agent.KeyEpochs.Sent);
        await agent.SendAsync("session.flow.rekey", "event", "comm", new JsonObject { ["key_epoch"] = 4 });
        var said = await agent.WaitForCloseAsync();
        Assert.Equal((Protocol, "bad_value", "key_epoch"), (agent.CloseCode, Text(said, "code"), Text(said, "detail")));
    }

    [Fact]
    public async Task A_new_token_comes_before_the_old_one_ends_which_stays_good_until_then()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { TokenSeconds = 8 });
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        var old = agent.Token;
        await agent.WaitForAsync("session.flow.token");
        var renewed = agent.Token;
        Assert.NotEqual(old, renewed);
        agent.Token = old;
        await JsonRun.SendAsync(agent, JsonRun.Batch(_epoch, 1, 0));
        agent.Token = renewed;
        await JsonRun.SendAsync(agent, JsonRun.Batch(_epoch, 1, 1));
        Assert.Equal(2, (await fixture.ReadAsync("stranger-1", 2)).Count);

        // The next refresh is after the end of the first token.
        await agent.HeartbeatAsync();
        await agent.WaitForAsync("session.flow.token");
        agent.Token = old;
        await agent.HeartbeatAsync();
        var said = await agent.WaitForCloseAsync();
        Assert.Equal((Protocol, "bad_token"), (agent.CloseCode, Text(said, "code")));
    }

    [Fact]
    public async Task A_rewind_and_a_watermark_of_the_worker_reach_the_agent()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        for (uint n = 0; n < 3; n++)
        {
            await JsonRun.SendAsync(agent, JsonRun.Batch(_epoch, 5, n));
        }

        await fixture.ReadAsync("stranger-1", 3);
        Assert.True(Epoch.TryParse(_epoch, out var epoch));
        var flow = fixture.Flow("stranger-1");
        await flow.TellAsync([new FlowRecord(FlowKind.Watermark, "stranger-1", epoch, 5, 1), new FlowRecord(FlowKind.Rewind, "stranger-1", epoch, 5, 1)]);
        var rewind = (await agent.WaitForAsync("session.flow.rewind"))["lanes"]![0]!;
        Assert.Equal((_epoch, 5, 1), (rewind["epoch"]!.GetValue<string>(), rewind["lane"]!.GetValue<int>(), rewind["n"]!.GetValue<int>()));
        await JsonRun.SendAsync(agent, JsonRun.Batch(_epoch, 5, 1));
        Assert.Equal([0U, 1U, 2U, 1U], (await fixture.ReadAsync("stranger-1", 4)).Select(message => message.Headers.First));
    }

    [Fact]
    public async Task A_control_message_is_an_envelope_both_ways()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        var control = new MessageTests.Recorder(Wire.Channels.Analysis);
        fixture.Server.Core.Messages.Add(control);
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        await agent.SendAsync("agent.analysis.report", "response", "analysis", new JsonObject { ["state"] = "well" }, "cmd-1");
        await Eventually.TrueAsync(() => control.Messages.Count == 1, "the message is taken");
        Assert.Equal(("cmd-1", "{\"state\":\"well\"}"), (control.Messages[0].Id, Encoding.UTF8.GetString(control.Messages[0].Payload.Span)));

        Assert.True(control.Session!.TrySend(new Wire.Messages.ControlMessage(
            Wire.MessageType.Request, Wire.Channels.Analysis, "cmd-2", "analysis", 7, Encoding.UTF8.GetBytes("{\"kind\":\"status\"}"))));
        Assert.Equal("status", (await agent.WaitForAsync("agent.analysis"))["kind"]!.GetValue<string>());

        // A channel that nobody is behind: the message is refused, the session goes on.
        await agent.SendAsync("agent.policy", "response", "policy", new JsonObject(), "policy-1");
        var error = await agent.WaitForAsync("session.flow.error");
        Assert.Equal(("unsupported", "policy-1"), (error["code"]!.GetValue<string>(), error["id"]!.GetValue<string>()));
        await JsonRun.SendAsync(agent, JsonRun.Batch(_epoch, 1, 0));
        Assert.Single(await fixture.ReadAsync("stranger-1", 1));
    }

    [Fact]
    public async Task A_frame_in_a_session_of_envelopes_ends_it()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var agent = await JsonRun.ConnectAsync(fixture, _epoch);
        await agent.SendBinaryAsync(new byte[292]);
        await agent.WaitForCloseAsync();
        Assert.Equal(Protocol, agent.CloseCode);
        await fixture.AssertNothingHeldAsync();
    }

    private string Spoilt(JsonAgent agent, string how)
    {
        var module = "observability";
        if (how == "a message left out")
        {
            Sealed(agent, "agent.observability", "event", module, JsonRun.Id(_epoch, 1, 0));
        }

        if (how is "token of nobody" or "no token")
        {
            agent.Token = how == "no token" ? "" : agent.Token[..^4] + "AAAA";
        }

        var (channel, type) = how switch
        {
            "unknown channel" => ("agent.rumour", "event"),
            "gateway's channel" => ("session.flow.hold", "event"),
            "other type" => ("agent.observability", "request"),
            _ => ("agent.observability", "event"),
        };
        module = how switch { "other module" => "policy", "gateway's channel" => "comm", _ => module };
        var id = how switch { "id with a blank" => "a b", "id too long" => new string('a', 65), _ => JsonRun.Id(_epoch, 1, 0) };
        var envelope = Sealed(agent, channel, type, module, id, how == "other agent" ? "stranger-2" : null);
        switch (how)
        {
            case "unknown field": envelope["extra"] = 1; break;
            case "unknown header": envelope["headers"]!["extra"] = 1; break;
            case "no timestamp": envelope.Remove("timestamp"); break;
            case "no token field": envelope["headers"]!.AsObject().Remove("session_token"); break;
            case "timestamp 1.5": envelope["timestamp"] = 1.5; break;
            case "timestamp 2^53+1": envelope["timestamp"] = (1L << 53) + 1; break;
            case "type command": envelope["type"] = "command"; break;
            case "payload spoilt": envelope["payload"] = Flip(envelope["payload"]!.GetValue<string>()); break;
            case "payload with a blank": envelope["payload"] = envelope["payload"]!.GetValue<string>()[..^4] + " AAA"; break;
            case "timestamp changed": envelope["timestamp"] = envelope["timestamp"]!.GetValue<ulong>() + 1; break;
            case "module's action changed": envelope["channel"] = "agent.observability.exec"; break;
            case "signature of another": envelope["signature"] = Convert.ToBase64String(new byte[64]); break;
        }

        var text = envelope.ToJsonString();
        return how switch
        {
            "field twice" => text[..^1] + ",\"nonce\":\"\"}",
            "not JSON" => text[..^1],
            "two documents" => text + "{}",
            "half a surrogate pair" => "{\"\\ud800\":1," + text[1..],
            _ => text,
        };
    }

    private JsonObject Sealed(JsonAgent agent, string channel, string type, string module, string id, string? agentId = null) =>
        agent.Seal(channel, type, module, JsonRun.Batch(_epoch, 1, 0).ToJsonString(), id, agentId: agentId);

    private static string Flip(string base64) => (base64[0] == 'A' ? 'B' : 'A') + base64[1..];

    private static string Text(List<JsonAgentMessage> said, string field) =>
        said.First(message => message.Channel == "session.flow.error").Content[field]!.GetValue<string>();
}
