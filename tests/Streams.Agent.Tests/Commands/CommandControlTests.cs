using Streams.Agent.Modules.Core.Commands;
using Streams.Control.Commands;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Agent.Tests.Commands;

public sealed class CommandControlTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly CommandFixture _agent;

    public CommandControlTests() => _agent = new CommandFixture(_clock);

    public void Dispose() => _agent.Dispose();

    [Fact]
    public async Task A_command_is_received_started_finished_and_its_digest_named()
    {
        var document = _agent.Sign();
        await _agent.AskAsync(document);
        Assert.Equal([CommandState.Received, CommandState.Started, CommandState.Finished], _agent.Answers.Select(answer => answer.State));
        Assert.All(_agent.Signed, answer => Assert.True(answer.AgentId == CommandFixture.AgentId && answer.IsSignedBy(_agent.Identity.PublicKey)));
        var digest = System.Buffers.Text.Base64Url.EncodeToString(document.Digest);
        Assert.All(_agent.Answers, answer => Assert.Equal((document.Id.ToString(), digest), (answer.Command, answer.Digest)));
        Assert.Equal("{\"ok\":true}", _agent.Answers.Last().Result);
    }

    [Fact]
    public async Task What_comes_twice_runs_once_and_is_answered_twice_also_after_a_restart()
    {
        var document = _agent.Sign();
        var first = await _agent.AskAsync(document);
        var second = await _agent.AskAsync(document);
        _agent.Restart();
        var third = await _agent.AskAsync(document);
        Assert.Equal(1, _agent.Runs);
        Assert.Equal(first, second);
        Assert.Equal(first, third);
    }

    [Fact]
    public async Task What_an_earlier_key_signed_is_answered_again_under_the_key_of_now()
    {
        var finished = _agent.Sign();
        var first = await _agent.AskAsync(finished);
        var begun = _agent.Sign();
        Assert.True(_agent.Journal.TryBegin(begun));
        _agent.Restart();
        using var old = _agent.Identity;
        _agent.Identity = new AgentIdentity(CommandFixture.AgentId, SigningKey.Generate());
        _agent.Signed.Clear();
        Assert.Equal(first, await _agent.AskAsync(finished));
        _agent.Control.SessionBegan();
        Assert.Equal(CommandState.Unknown, (await _agent.AskAsync(begun)).State);
        Assert.Equal(3, _agent.Signed.Count);
        Assert.All(_agent.Signed, answer => Assert.True(answer.IsSignedBy(_agent.Identity.PublicKey) && !answer.IsSignedBy(old.PublicKey)));
        Assert.Equal(1, _agent.Runs);
    }

    [Fact]
    public async Task The_services_key_cannot_kill()
    {
        var answer = await _agent.AskAsync(_agent.Sign("kill"));
        Assert.Equal((CommandState.Refused, "wrong_signer"), (answer.State, answer.Detail));
        Assert.Equal(0, _agent.Journal.Count);
    }

    [Theory]
    [InlineData(CommandSigner.Operator)]
    [InlineData(CommandSigner.Service)]
    public async Task A_certificate_that_a_root_has_revoked_signs_for_nobody_also_after_a_restart(CommandSigner signer)
    {
        Assert.True(_agent.Revoke(5, CommandFixture.Serial + 1));
        Assert.Equal(CommandState.Finished, (await _agent.AskAsync(_agent.Sign(signer: signer))).State);
        Assert.True(_agent.Revoke(6, CommandFixture.Serial));
        for (var life = 0; life < 2; life++)
        {
            var answer = await _agent.AskAsync(_agent.Sign(signer: signer));
            Assert.Equal((CommandState.Refused, "certificate_revoked"), (answer.State, answer.Detail));
            _agent.Restart();
        }

        Assert.Equal(1, _agent.Runs);
    }

    [Fact]
    public async Task What_an_operator_may_and_the_agent_cannot_is_unsupported()
    {
        var answer = await _agent.AskAsync(_agent.Sign("kill", CommandSigner.Operator));
        Assert.Equal((CommandState.Refused, "unsupported"), (answer.State, answer.Detail));
    }

    [Fact]
    public async Task An_operator_may_ask_what_the_service_may()
    {
        Assert.Equal(CommandState.Finished, (await _agent.AskAsync(_agent.Sign(signer: CommandSigner.Operator))).State);
    }

    [Fact]
    public async Task An_id_names_one_command_for_ever()
    {
        var document = _agent.Sign();
        await _agent.AskAsync(document);
        var other = await _agent.AskAsync(_agent.Sign(change: fields => fields with { Id = document.Id, Actor = "bob" }));
        Assert.Equal((CommandState.Refused, "id_reused"), (other.State, other.Detail));
        Assert.Equal(1, _agent.Runs);
    }

    [Fact]
    public async Task A_command_for_another_agent_is_not_ours()
    {
        var answer = await _agent.AskAsync(_agent.Sign(change: fields => fields with { Agents = ["agent-2"] }));
        Assert.Equal("not_for_this_agent", answer.Detail);
        Assert.Equal(0, _agent.Runs);
    }

    [Fact]
    public async Task What_expired_does_not_run_later_whatever_the_clock_says()
    {
        var document = _agent.Sign();
        _clock.Pass(TimeSpan.FromMinutes(11));
        Assert.Equal(CommandState.Expired, (await _agent.AskAsync(document)).State);
        _clock.SetWall(_clock.GetUtcNow().AddMinutes(-11));
        _agent.Restart();
        Assert.Equal(CommandState.Expired, (await _agent.AskAsync(document)).State);
        Assert.Equal(0, _agent.Runs);
    }

    [Fact]
    public async Task A_handler_that_throws_failed()
    {
        ((CountingHandler)_agent.Handler).Result = () => throw new InvalidOperationException("no\nluck");
        var document = _agent.Sign();
        var answer = await _agent.AskAsync(document);
        Assert.Equal((CommandState.Failed, "no?luck"), (answer.State, answer.Detail));
        Assert.Equal(answer, await _agent.AskAsync(document));
        Assert.Equal(1, _agent.Runs);
    }

    [Fact]
    public async Task A_result_that_does_not_fit_is_said_to_be_too_long()
    {
        ((CountingHandler)_agent.Handler).Result = () => System.Text.Encoding.UTF8.GetBytes($"\"{new string('x', CommandLimits.MaxResultBytes)}\"");
        var answer = await _agent.AskAsync(_agent.Sign());
        Assert.Equal((CommandState.Finished, "result_too_long", ""), (answer.State, answer.Detail, answer.Result));
    }

    [Fact]
    public async Task More_than_may_wait_are_turned_away_and_taken_when_there_is_room()
    {
        using var go = new ManualResetEventSlim();
        ((CountingHandler)_agent.Handler).Result = () =>
        {
            go.Wait();
            return "{}"u8.ToArray();
        };
        for (var i = 0; i < CommandControl.MaxWaiting; i++)
            Assert.True(_agent.Control.Receive("x", CommandRequest.Write(_agent.Sign().Bytes.Span)));
        var more = _agent.Sign();
        Assert.False(_agent.Control.Receive("x", CommandRequest.Write(more.Bytes.Span)));
        go.Set();
        await Streams.Testing.Eventually.TrueAsync(() => _agent.Runs == CommandControl.MaxWaiting, "all ran");
        await Streams.Testing.Eventually.TrueAsync(() => _agent.Control.Receive("x", CommandRequest.Write(more.Bytes.Span)), "there is room");
        await Streams.Testing.Eventually.TrueAsync(() => _agent.Runs == CommandControl.MaxWaiting + 1, "it ran");
    }

    [Fact]
    public async Task A_result_that_is_no_json_failed()
    {
        ((CountingHandler)_agent.Handler).Result = () => "{"u8.ToArray();
        var answer = await _agent.AskAsync(_agent.Sign());
        Assert.Equal((CommandState.Failed, "result_malformed", ""), (answer.State, answer.Detail, answer.Result));
    }

    [Fact]
    public async Task Junk_is_refused_under_its_message_id_and_changes_nothing()
    {
        var id = CommandId.NewRandom();
        _agent.Control.Receive(id.ToString(), "{\"command\":\"AAAA\"}"u8);
        _agent.Control.Receive("no-command-id", "{"u8);
        Assert.Equal(CommandState.Finished, (await _agent.AskAsync(_agent.Sign())).State);
        Assert.Equal((id.ToString(), "malformed"), (_agent.Answers.First().Command, _agent.Answers.First().Detail));
        Assert.Single(_agent.Answers, answer => answer.State == CommandState.Refused);
        Assert.All(_agent.Signed, answer => Assert.True(answer.IsSignedBy(_agent.Identity.PublicKey)));
        Assert.Equal(System.Buffers.Text.Base64Url.EncodeToString(CommandDocument.DigestOf(new byte[3])), _agent.Answers.First().Digest);
    }
}
