using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Text;
using Streams.Control.Commands;
using Streams.Gateway.Queueing;
using Streams.Gateway.Tests.Support;
using Streams.Queue;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests.Queueing;

/// <summary>An agent's message queue through a real queue: what waits, in order, a window at a time, and again until it was removed.</summary>
public sealed class CommandQueueTests : IAsyncLifetime
{
    private readonly SigningKey _root = SigningKey.Generate();
    private readonly SigningKey _key = SigningKey.Generate();
    private GatewayFixture _fixture = null!;
    private QueueConnection _services = null!;
    private CommandMailbox _mailbox = null!;
    private AgentIdentity _identity = null!;

    public async Task InitializeAsync()
    {
        _fixture = await GatewayFixture.StartAsync();
        _services = await _fixture.ConnectAsync(QueueRole.Services);
        _mailbox = new CommandMailbox(_services);
        _identity = await _fixture.EnrolAsync("agent-1");
    }

    public async Task DisposeAsync()
    {
        _identity.Dispose();
        await _services.DisposeAsync();
        await _fixture.DisposeAsync();
        _key.Dispose();
        _root.Dispose();
    }

    [Fact]
    public async Task What_waits_comes_when_the_agent_does_and_what_is_new_after_a_nudge()
    {
        var first = await PostAsync();
        var second = await PostAsync();
        await using var agent = await _fixture.ConnectAsync(_identity);
        Assert.Equal([first, second], [await ReceiveAsync(agent), await ReceiveAsync(agent)]);
        var third = await PostAsync();
        await _mailbox.NudgeAsync("agent-1");
        Assert.Equal(third, await ReceiveAsync(agent));
    }

    [Fact]
    public async Task No_more_than_a_window_is_unanswered_and_each_answer_lets_one_more_go()
    {
        var posted = new List<string>();
        for (var i = 0; i < CommandQueue.Window + 3; i++)
            posted.Add(await PostAsync());
        await using var agent = await _fixture.ConnectAsync(_identity);
        for (var i = 0; i < CommandQueue.Window; i++)
            Assert.Equal(posted[i], await ReceiveAsync(agent));
        for (var i = 0; i < 3; i++)
        {
            // The window is shut: nothing was sent beyond it while the agent was silent.
            Assert.Equal(CommandQueue.Window + i, _fixture.Counter("streams.gateway.commands{sent}"));
            await AnswerAsync(agent, posted[i], CommandState.Received);
            Assert.Equal(posted[CommandQueue.Window + i], await ReceiveAsync(agent));
        }
    }

    [Fact]
    public async Task What_was_not_removed_comes_again_in_a_later_session_and_at_another_gateway()
    {
        var command = await PostAsync();
        await using (var agent = await _fixture.ConnectAsync(_identity))
            Assert.Equal(command, await ReceiveAsync(agent));
        await using (var agent = await _fixture.ConnectAsync(_identity))
            Assert.Equal(command, await ReceiveAsync(agent));
        await using var other = await _fixture.StartGatewayAsync(_fixture.Options);
        await using var there = await RawAgent.ConnectAsync(other.Address, _identity, _fixture.Roots);
        Assert.Equal(command, await ReceiveAsync(there));
    }

    [Fact]
    public async Task Expired_ones_and_what_is_no_command_are_passed_over()
    {
        await PostAsync(expired: true);
        await _mailbox.PostAsync("agent-1", "junk", "junk"u8.ToArray());
        var good = await PostAsync();
        await using var agent = await _fixture.ConnectAsync(_identity);
        Assert.Equal(good, await ReceiveAsync(agent));
        Assert.Equal((1, 1, 1), (
            _fixture.Counter("streams.gateway.commands{expired}"), _fixture.Counter("streams.gateway.commands{malformed}"),
            _fixture.Counter("streams.gateway.commands{sent}")));
    }

    [Fact]
    public async Task An_agent_in_quarantine_gets_none_until_it_is_released()
    {
        var identities = await IdentityStore.OpenAsync(_services);
        await identities.ChangeAsync("agent-1", last => last! with { State = IdentityRecord.Quarantined });
        await Eventually.TrueAsync(() => _fixture.Server.Core.Identities.IsQuarantined("agent-1"), "the gateway knows");
        var command = await PostAsync();
        await using var agent = await _fixture.ConnectAsync(_identity);
        await _mailbox.NudgeAsync("agent-1");
        await _services.PingAsync();
        Assert.Equal(0, _fixture.Counter("streams.gateway.commands{sent}"));
        await identities.ChangeAsync("agent-1", last => last! with { State = IdentityRecord.Active });
        Assert.Equal(command, await ReceiveAsync(agent));
    }

    [Fact]
    public async Task Answers_reach_the_services_in_order_and_junk_is_told_to_the_agent()
    {
        var command = await PostAsync();
        var heard = new ConcurrentQueue<string>();
        await using var reader = ResponseReader.Start(_services, (agent, bytes, _) =>
        {
            heard.Enqueue(CommandSent.Read(bytes.Span) is { } sent ? $"{agent} {sent} Sent"
                : CommandResponse.Read(bytes.Span) is { } answer && answer.IsSignedBy(_identity.PublicKey) ? $"{agent} {answer.Word.Command} {answer.Word.State}"
                : Encoding.UTF8.GetString(bytes.Span));
            return Task.CompletedTask;
        });
        await using var agent = await _fixture.ConnectAsync(_identity);
        Assert.Equal(command, await ReceiveAsync(agent));
        await AnswerAsync(agent, command, CommandState.Received);
        await AnswerAsync(agent, command, CommandState.Started);
        // Neither the gateway's own word nor another's is an agent's to say.
        using var other = new AgentIdentity("agent-2", SigningKey.Generate());
        foreach (var junk in new[] { CommandSent.Write(Id(command)), CommandResponse.Write(Answer(command, CommandState.Started, other)) })
        {
            await agent.SendAsync(new ControlMessage(MessageType.Response, Wire.Channels.Control, command, "core", 7, junk), _identity);
            Assert.Equal(new ErrorMessage(WireError.Malformed, Wire.Channels.Control, command, ""), await agent.WaitForErrorAsync());
        }

        await AnswerAsync(agent, command, CommandState.Finished);
        string[] expected = [.. new[] { CommandState.Sent, CommandState.Received, CommandState.Started, CommandState.Finished }.Select(state => $"agent-1 {command} {state}")];
        await Eventually.TrueAsync(() => heard.Count == 4, "four words", TimeSpan.FromSeconds(20));
        Assert.Equal(expected, heard);
    }

    [Fact]
    public async Task What_an_agent_has_no_room_for_is_sent_again_and_what_it_cannot_read_is_not()
    {
        var first = await PostAsync();
        var second = await PostAsync();
        await using var agent = await _fixture.ConnectAsync(_identity);
        Assert.Equal([first, second], [await ReceiveAsync(agent), await ReceiveAsync(agent)]);
        await RefuseAsync(agent, first, WireError.Malformed);
        await RefuseAsync(agent, second, WireError.RateLimited);
        Assert.Equal([first, second], [await ReceiveAsync(agent), await ReceiveAsync(agent)]);
    }

    [Fact]
    public async Task An_answer_that_the_queue_did_not_take_is_asked_for_again()
    {
        var command = await PostAsync();
        await using var agent = await _fixture.ConnectAsync(_identity);
        Assert.Equal(command, await ReceiveAsync(agent));
        await _fixture.Nats.KillAsync();
        await AnswerAsync(agent, command, CommandState.Finished);
        await Eventually.TrueAsync(() => _fixture.Counter("streams.gateway.errors{response}") > 0, "the answer is not taken", TimeSpan.FromSeconds(30));
        await _fixture.Nats.RestartAsync();
        Assert.Equal(command, await ReceiveAsync(agent));
    }

    private async Task<string> PostAsync(bool expired = false)
    {
        var now = DateTimeOffset.UtcNow;
        var issued = (ulong)((now.AddMinutes(-1) - DateTimeOffset.UnixEpoch).Ticks / 10);
        var fields = new CommandFields
        {
            Id = CommandId.NewRandom(),
            Kind = "status",
            Actor = "alice",
            Counter = 1,
            IssuedAt = issued,
            NotBefore = issued,
            Deadline = expired ? issued + 1_000 : issued + 3_600_000_000,
            Agents = ["agent-1"],
        };
        var certificate = FleetCertificate.Create(
            _root, CertificateUse.Service, "actions", _key.PublicKey, now.AddHours(-1).ToUnixTimeSeconds(), now.AddHours(1).ToUnixTimeSeconds(), 1);
        var document = CommandDocument.Create(fields, CommandSigner.Service, certificate, _key);
        Assert.Equal(CommandPostOutcome.Stored, (await _mailbox.PostAsync("agent-1", document.Id.ToString(), document.Bytes)).Outcome);
        return document.Id.ToString();
    }

    private static async Task<string> ReceiveAsync(RawAgent agent)
    {
        var message = await agent.WaitForMessageAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((MessageType.Request, Wire.Channels.Control, "core"), (message.Type, message.Channel, message.Module));
        var document = CommandRequest.Read(message.Payload.Span);
        Assert.Equal(message.Id, document!.Id.ToString());
        return message.Id;
    }

    private static Task RefuseAsync(RawAgent agent, string command, WireError error)
    {
        var payload = new byte[ErrorMessage.MaxBytes];
        return agent.SendAsync(FrameType.Error, payload[..new ErrorMessage(error, Wire.Channels.Control, command, "").Write(payload)]);
    }

    private Task AnswerAsync(RawAgent agent, string command, CommandState state) => agent.SendAsync(
        new ControlMessage(
            MessageType.Response, Wire.Channels.Control, command, "core", 7, CommandResponse.Write(Answer(command, state, _identity))), _identity);

    private static CommandAnswer Answer(string command, CommandState state, AgentIdentity agent) =>
        CommandAnswer.Create(new CommandEvent(command, Base64Url.EncodeToString(new byte[32]), state, 7), agent);

    private static CommandId Id(string text)
    {
        Assert.True(CommandId.TryParse(text, out var id));
        return id;
    }
}
