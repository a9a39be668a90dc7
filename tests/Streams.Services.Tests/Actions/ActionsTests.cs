using Streams.Control.Commands;
using Streams.Testing;

namespace Streams.Services.Tests.Actions;

public sealed class ActionsTests
{
    [Fact]
    public async Task An_order_is_a_signed_command_in_the_queue_of_each_agent_and_wakes_its_gateway()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1", "agent-2");
        var command = await stack.OrderAsync(ActionsStack.Status("agent-2", "agent-1", "agent-2"));
        Assert.Equal(["agent-1 queued", "agent-2 queued"], command.Agents.Select(agent => $"{agent.Agent} {agent.State}"));
        var document = await stack.ReadAsync("agent-1");
        Assert.Equal(document.Bytes.ToArray(), (await stack.ReadAsync("agent-2")).Bytes.ToArray());
        Assert.Equal((command.Id, "alice"), (document.Id.ToString(), document.Fields.Actor));
        var verifier = new CommandVerifier(() => stack.Roots, () => null, "agent-1", new CommandClock(TimeProvider.System, DateTimeOffset.UnixEpoch));
        Assert.Equal(CommandRefusal.None, verifier.CheckSigner(document));
        Assert.Equal(CommandRefusal.None, verifier.CheckTerms(document));
        await Eventually.TrueAsync(() => stack.Nudges.Contains("agent-1") && stack.Nudges.Contains("agent-2"), "both are nudged");
    }

    [Fact]
    public async Task Answers_move_it_to_its_end_and_out_of_the_queue_also_after_a_restart()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1");
        var command = await stack.OrderAsync(ActionsStack.Status("agent-1"));
        var document = await stack.ReadAsync("agent-1");
        await stack.AnswerAsync("agent-1", ActionsStack.Word(document, CommandState.Received));
        await stack.StateAsync(command.Id, "agent-1", "received");
        await stack.Actions.DisposeAsync();
        await stack.AnswerAsync("agent-1", ActionsStack.Word(document, CommandState.Finished, result: "{\"a\":1}"));
        await stack.RestartAsync();
        var ended = await stack.StateAsync(command.Id, "agent-1", "finished");
        Assert.Equal("{\"a\":1}", ended.Agents.Single().Result);
        await Eventually.TrueAsync(async () => await stack.Reader.ReadAsync("agent-1", 0) is null, "it has left the queue");
        // What comes late or twice changes nothing.
        await stack.AnswerAsync("agent-1", ActionsStack.Word(document, CommandState.Started));
        await stack.AnswerAsync("agent-1", ActionsStack.Word(document, CommandState.Failed));
        var next = await stack.OrderAsync(ActionsStack.Status("agent-1"));
        await stack.AnswerAsync("agent-1", ActionsStack.Word(await stack.ReadAsync("agent-1"), CommandState.Refused, "x"));
        await stack.StateAsync(next.Id, "agent-1", "refused");
        Assert.Equal("finished", (await stack.Actions.FindAsync(ActionsStack.Id(command.Id)))!.Agents.Single().State);
    }

    [Fact]
    public async Task An_agent_speaks_of_its_own_command_in_the_form_it_was_given_and_of_no_other()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1", "agent-2");
        var command = await stack.OrderAsync(ActionsStack.Status("agent-1"));
        var document = await stack.ReadAsync("agent-1");
        var word = ActionsStack.Word(document, CommandState.Finished);
        await stack.AnswerAsync("agent-2", word);
        await stack.AnswerAsync("agent-1", word with { Digest = word.Digest[..^1] + (word.Digest[^1] == 'A' ? 'E' : 'A') });
        await stack.AnswerAsync("agent-1", word with { State = CommandState.Refused, Digest = ActionsStack.Text(CommandDocument.DigestOf([])) });
        var other = await stack.OrderAsync(ActionsStack.Status("agent-2"));
        await stack.AnswerAsync("agent-2", ActionsStack.Word(await stack.ReadAsync("agent-2"), CommandState.Finished));
        await stack.StateAsync(other.Id, "agent-2", "finished");
        Assert.Equal("queued", (await stack.Actions.FindAsync(ActionsStack.Id(command.Id)))!.Agents.Single().State);
    }

    [Fact]
    public async Task A_command_of_an_agent_that_never_comes_expires_and_leaves_the_queue()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1");
        var command = await stack.OrderAsync(ActionsStack.Status("agent-1") with { Life = TimeSpan.FromSeconds(1) });
        var document = await stack.ReadAsync("agent-1");
        Assert.Equal("no_answer", (await stack.StateAsync(command.Id, "agent-1", "expired")).Agents.Single().Detail);
        await Eventually.TrueAsync(async () => await stack.Reader.ReadAsync("agent-1", 0) is null, "it has left the queue");
        // Only assumed: an agent that did it in time, and was away with the answer, is believed.
        await stack.AnswerAsync("agent-1", ActionsStack.Word(document, CommandState.Finished));
        await stack.StateAsync(command.Id, "agent-1", "finished");
    }

    [Fact]
    public async Task The_65th_that_would_wait_is_refused_in_words_and_one_that_ended_makes_room()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1", "agent-2");
        for (var i = 0; i < CommandLimits.MaxWaiting; i++)
            await stack.OrderAsync(ActionsStack.Status("agent-1"));
        var (_, problem) = await stack.Actions.OrderAsync(ActionsStack.Status("agent-1"));
        Assert.Equal(("too_many_waiting", "agents"), (problem!.Code, problem.Field));
        Assert.Contains("64", problem.Message, StringComparison.Ordinal);
        var both = await stack.OrderAsync(ActionsStack.Status("agent-1", "agent-2"));
        Assert.Equal(["agent-1 refused too_many_waiting", "agent-2 queued "], both.Agents.Select(agent => $"{agent.Agent} {agent.State} {agent.Detail}"));
        await stack.AnswerAsync("agent-1", ActionsStack.Word(await stack.ReadAsync("agent-1"), CommandState.Finished));
        await Eventually.TrueAsync(
            async () => (await stack.Actions.OrderAsync(ActionsStack.Status("agent-1"))).Problem is null, "there is room again", TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("kill", "agent-1", "needs_operator", "kind")]
    [InlineData("policy.off", "agent-1", "needs_operator", "kind")]
    [InlineData("run", "agent-1", "invalid", "kind")]
    [InlineData("collect", "agent-1", "unsupported", "kind")]
    [InlineData("status", "agent-9", "unknown_agent", "agents")]
    public async Task What_cannot_be_given_is_refused_by_field(string kind, string agent, string code, string field)
    {
        await using var stack = await ActionsStack.StartAsync("agent-1");
        var (_, problem) = await stack.Actions.OrderAsync(ActionsStack.Status(agent) with { Kind = kind });
        Assert.Equal((code, field), (problem!.Code, problem.Field));
        var (_, none) = await stack.Actions.OrderAsync(ActionsStack.Status());
        Assert.Equal(("invalid", "agents"), (none!.Code, none.Field));
        Assert.Null(await stack.Reader.ReadAsync("agent-1", 0));
    }
}
