using System.Text;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Gateway.Tests.Support;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests;

/// <summary>Control messages of agents: taken when they are the agent's and of the table, refused by name when not, and never a way to stop a gateway.</summary>
public sealed class MessageTests
{
    private static ControlMessage Response(string id = "cmd-1") =>
        new(MessageType.Response, Wire.Channels.Analysis, id, "analysis", 1_750_000_000_000_000, Encoding.UTF8.GetBytes("{}"));

    private static ControlMessage Request(string id = "enrol-1") =>
        new(MessageType.Request, Wire.Channels.Registry, id, "core", 1_750_000_000_000_000, Encoding.UTF8.GetBytes("{}"));

    [Fact]
    public async Task A_message_reaches_its_channel_and_the_answer_is_signed_by_the_gateway()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        var control = new Recorder(Wire.Channels.Analysis);
        fixture.Server.Core.Messages.Add(control);
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.SendAsync(Response(), identity);
        await Eventually.TrueAsync(() => control.Messages.Count == 1, "the message is taken");
        Assert.Equal("cmd-1", control.Messages[0].Id);
        Assert.Equal(identity.PublicKey.ToArray(), control.Session!.AgentKey.ToArray());

        var command = new ControlMessage(MessageType.Request, Wire.Channels.Analysis, "cmd-2", "analysis", 7, Encoding.UTF8.GetBytes("{\"kind\":\"status\"}"));
        Assert.True(control.Session.TrySend(command));
        var received = await agent.WaitForMessageAsync();
        Assert.Equal(command with { Payload = received.Payload }, received);
        Assert.Equal(command.Payload.ToArray(), received.Payload.ToArray());
        Assert.Equal(1, fixture.Counter("streams.gateway.messages{agent.analysis}"));
        Assert.Throws<ArgumentException>(() => control.Session.TrySend(Response()));
    }

    [Fact]
    public async Task More_signatures_than_are_checked_for_one_agent_end_its_session()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { AgentSignatureRate = 10, AgentBurst = TimeSpan.FromSeconds(1) });
        fixture.Server.Core.Messages.Add(new Recorder(Wire.Channels.Analysis));
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        for (var i = 0; i < 40 && agent.Socket.State == System.Net.WebSockets.WebSocketState.Open; i++)
        {
            await agent.SendAsync(Response($"cmd-{i}"), identity);
        }

        Assert.Equal(CloseCode.LimitExceeded, await agent.WaitForCloseAsync());
        await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.sessions.ended{signature_rate}") == 1, "counted");
        Assert.InRange(fixture.Counter("streams.gateway.signatures{session}"), 10, 30);
    }

    [Fact]
    public async Task What_is_refused_is_refused_by_name_and_the_session_goes_on()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        var control = new Recorder(Wire.Channels.Analysis);
        fixture.Server.Core.Messages.Add(control);
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        (ControlMessage Message, WireError Error)[] cases =
        [
            (Response() with { Channel = 200 }, WireError.UnknownChannel),
            (Response() with { Channel = Wire.Channels.FlowHold, Module = "comm" }, WireError.WrongDirection),
            (Response() with { Module = "policy" }, WireError.WrongModule),
            (Response() with { Type = MessageType.Request }, WireError.WrongType),
            (Request(), WireError.Malformed),
        ];
        foreach (var (message, error) in cases)
        {
            await agent.SendAsync(message, identity);
            Assert.Equal(new ErrorMessage(error, message.Channel, message.Id, ""), await agent.WaitForErrorAsync());
            Assert.Equal(1, fixture.Counter($"streams.gateway.messages.refused{{gateway,{error.Label()}}}"));
        }

        await agent.SendAsync(Response("forged"), identity, payload => payload[^1] ^= 1);
        Assert.Equal(new ErrorMessage(WireError.BadSignature, Wire.Channels.Analysis, "forged", ""), await agent.WaitForErrorAsync());
        await agent.SendAsync(FrameType.Message, [1, 2, 3]);
        Assert.Equal(new ErrorMessage(WireError.Malformed, 0, "", ""), await agent.WaitForErrorAsync());
        Assert.Empty(control.Messages);
        await agent.SendAsync(Response("good"), identity);
        await Eventually.TrueAsync(() => control.Messages.Count == 1, "a good message is taken after all of them");
    }

    [Fact]
    public async Task A_message_of_another_session_is_a_bad_signature()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        fixture.Server.Core.Messages.Add(new Recorder(Wire.Channels.Analysis));
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var first = await fixture.ConnectAsync(identity);
        var payload = new byte[MessageFrame.GetLength(Response())];
        MessageFrame.Write(Response(), identity, first.SessionId, first.Sealer.NameNext(), payload);
        await using var second = await fixture.ConnectAsync(identity);
        Assert.Equal(first.Sealer.NameNext(), second.Sealer.NameNext());
        await second.SendAsync(FrameType.Message, payload);
        Assert.Equal(WireError.BadSignature, (await second.WaitForErrorAsync()).Code);
    }

    [Fact]
    public async Task Repeated_abuse_ends_the_session()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        for (var i = 0; i <= Gateway.Channels.MessageBudget.Refusals; i++)
        {
            await agent.SendAsync(FrameType.Message, [1, 2, 3]);
        }

        Assert.Equal(CloseCode.Protocol, await agent.WaitForCloseAsync());
        Assert.Equal(Gateway.Channels.MessageBudget.Refusals + 1, fixture.Counter("streams.gateway.messages.refused{gateway,malformed}"));
        await fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Errors_of_an_agent_are_out_of_the_same_budget_and_no_error_answers_one()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        var control = new Recorder(Wire.Channels.Analysis);
        fixture.Server.Core.Messages.Add(control);
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        var payload = new byte[ErrorMessage.MaxBytes];
        var error = payload[..new ErrorMessage(WireError.Unsupported, Wire.Channels.Analysis, "cmd-1", "").Write(payload)];
        // A burst of them, as many above it as may be, the one that is too much, and what came in of the budget meanwhile.
        for (var i = 0; i < 2 * (Gateway.Channels.MessageBudget.Burst + Gateway.Channels.MessageBudget.Refusals) && agent.Socket.State == System.Net.WebSockets.WebSocketState.Open; i++)
        {
            await agent.SendAsync(FrameType.Error, error);
        }

        Assert.Equal(CloseCode.Protocol, await agent.WaitForCloseAsync());
        Assert.DoesNotContain(agent.Inbox, received => received.Type == FrameType.GatewayError);
        Assert.Equal(0, fixture.Counter("streams.gateway.messages.refused{gateway,rate_limited}"));
    }

    [Fact]
    public async Task Who_enrols_may_not_send_errors()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var key = SigningKey.Generate();
        await using var agent = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots);
        var payload = new byte[ErrorMessage.MaxBytes];
        await agent.SendAsync(FrameType.Error, payload[..new ErrorMessage(WireError.Unsupported, Wire.Channels.Control, "cmd-1", "").Write(payload)]);
        Assert.Equal(CloseCode.Protocol, await agent.WaitForCloseAsync());
    }

    [Fact]
    public async Task Too_many_good_messages_are_refused_as_that()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        var control = new Recorder(Wire.Channels.Analysis);
        fixture.Server.Core.Messages.Add(control);
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        // At most as many above the burst as may be refused without an end.
        for (var i = 0; i < Gateway.Channels.MessageBudget.Burst + Gateway.Channels.MessageBudget.Refusals; i++)
        {
            await agent.SendAsync(Response($"m-{i}"), identity);
        }

        Assert.Equal(WireError.RateLimited, (await agent.WaitForErrorAsync()).Code);
        Assert.True(control.Messages.Count >= Gateway.Channels.MessageBudget.Burst);
    }

    [Fact]
    public async Task An_agent_that_takes_nothing_is_sent_no_more_than_64()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        var control = new Recorder(Wire.Channels.Analysis);
        fixture.Server.Core.Messages.Add(control);
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.SendAsync(Response(), identity);
        await Eventually.TrueAsync(() => control.Session is not null, "the session is known");
        var command = new ControlMessage(MessageType.Request, Wire.Channels.Analysis, "big", "analysis", 7, new byte[60_000]);
        var sent = 0;
        while (control.Session!.TrySend(command))
        {
            sent++;
            Assert.InRange(sent, 1, 2000);
        }

        Assert.True(sent >= Gateway.Queueing.OutboundQueue.MaxMessages);
        Assert.Equal(SessionEnd.None, control.Session.Ended);
        for (var i = 0; i < sent; i++)
        {
            Assert.Equal("big", (await agent.WaitForMessageAsync()).Id);
        }
    }

    [Fact]
    public async Task Enrolment_is_refused_without_a_registry()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { Registration = false });
        using var key = SigningKey.Generate();
        await Assert.ThrowsAnyAsync<Exception>(() => RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots));
        Assert.Equal(1, fixture.Counter($"streams.gateway.handshakes.refused{{{RefusalReason.ModeNotAllowed}}}"));
        await fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_session_of_mode_enrol_has_the_registry_and_nothing_else()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { Registration = false });
        var registry = new Recorder(Wire.Channels.Registry);
        var control = new Recorder(Wire.Channels.Analysis);
        fixture.Server.Core.Messages.Add(registry);
        fixture.Server.Core.Messages.Add(control);
        var key = SigningKey.Generate();
        // Only the key matters in this mode; the id is never sent.
        using var identity = new AgentIdentity("nobody", key);
        await using var agent = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots);
        Assert.Equal((0UL, 0), (agent.Session.Generation, agent.Session.Watermarks.Count));
        await agent.SendAsync(Request(), identity);
        await Eventually.TrueAsync(() => registry.Messages.Count == 1, "the registry is asked");
        Assert.True(registry.Session!.IsEnrolling);
        Assert.Equal(key.PublicKey.ToArray(), registry.Session.AgentKey.ToArray());
        Assert.Equal((0, 0), (fixture.Server.Core.Registry.Count, fixture.Questions));
        Assert.True(registry.Session.TrySend(Request() with { Type = MessageType.Response }));
        Assert.Equal("enrol-1", (await agent.WaitForMessageAsync()).Id);

        await agent.SendAsync(Response(), identity);
        Assert.Equal(new ErrorMessage(WireError.NotAllowed, Wire.Channels.Analysis, "cmd-1", ""), await agent.WaitForErrorAsync());
        Assert.Empty(control.Messages);
        await agent.HeartbeatAsync();
        Assert.Equal(CloseCode.Protocol, await agent.WaitForCloseAsync());
        await fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_session_of_mode_enrol_gets_no_data_through_and_ends_by_itself()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { Registration = false });
        fixture.Server.Core.Messages.Add(new Recorder(Wire.Channels.Registry));
        using var key = SigningKey.Generate();
        await using (var sender = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots))
        {
            await sender.SendDataAsync(Batches.Pad(Batches.Make(sender.Epoch, 0, 0, 600)));
            Assert.Equal(CloseCode.CreditExceeded, await sender.WaitForCloseAsync());
        }

        await using var idle = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots);
        Assert.Equal(CloseCode.SessionExpired, await idle.WaitForCloseAsync());
        await fixture.AssertNothingHeldAsync();
    }

    internal sealed class Recorder(byte channel) : IAgentMessages
    {
        private readonly List<ControlMessage> _messages = [];

        public byte Channel => channel;

        public AgentSession? Session { get; private set; }

        public IReadOnlyList<ControlMessage> Messages
        {
            get
            {
                lock (_messages)
                {
                    return [.. _messages];
                }
            }
        }

        public WireError Take(AgentSession session, ControlMessage message)
        {
            lock (_messages)
            {
                Session = session;
                _messages.Add(message);
            }

            return WireError.None;
        }
    }
}
