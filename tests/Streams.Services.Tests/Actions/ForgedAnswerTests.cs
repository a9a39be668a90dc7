using System.Text;
using Streams.Control.Commands;
using Streams.Queue;
using Streams.Services.Actions;
using Streams.Testing;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Services.Tests.Actions;

/// <summary>
/// The attacker has a gateway's place in the queue: it may publish as any agent's response, has every answer and command that passed, and sessions of some agents. It
/// has no agent's key, and so moves no command.
/// </summary>
public sealed class ForgedAnswerTests
{
    [Fact]
    public async Task A_gateway_invents_and_alters_no_answer_and_the_true_one_still_counts()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1", "agent-2");
        var command = await stack.OrderAsync(ActionsStack.Status("agent-1"));
        var document = await stack.ReadAsync("agent-1");
        var received = CommandAnswer.Create(ActionsStack.Word(document, CommandState.Received), stack.Agent("agent-1"));
        await stack.PublishAsync("agent-1", received);
        await stack.StateAsync(command.Id, "agent-1", "received");
        var word = ActionsStack.Word(document, CommandState.Finished, result: "{\"a\":1}");
        var genuine = CommandAnswer.Create(word, stack.Agent("agent-1"));
        foreach (var (name, subject, forged) in Forgeries(stack, document, word, genuine))
        {
            await stack.PublishAsync(subject, forged);
            await AllWereReadAsync(stack);
            Assert.True(await StateAsync(stack, command) == "received", name);
        }

        Assert.NotNull(await stack.Reader.ReadAsync("agent-1", 0));
        await stack.PublishAsync("agent-1", genuine);
        Assert.Equal("{\"a\":1}", (await stack.StateAsync(command.Id, "agent-1", "finished")).Agents.Single().Result);
        // All that the agent ever said, again: nothing goes back.
        foreach (var again in new[] { received, genuine })
            await stack.PublishAsync("agent-1", again);
        await stack.PublishAsync("agent-1", CommandSent.Write(document.Id));
        await AllWereReadAsync(stack);
        Assert.Equal("finished", await StateAsync(stack, command));
    }

    /// <summary>
    /// It changes what it brings to an agent whose session it has, so that the agent itself refuses under the command's id, and signs that. The command would leave
    /// the queue, and no other gateway could bring it.
    /// </summary>
    [Fact]
    public async Task What_an_agent_refuses_because_it_was_changed_on_the_way_still_waits()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1", "agent-2");
        var command = await stack.OrderAsync(ActionsStack.Status("agent-1"));
        var document = await stack.ReadAsync("agent-1");
        var malformed = new CommandEvent(command.Id, ActionsStack.Text(CommandDocument.DigestOf("junk"u8)), CommandState.Refused, 1, "malformed");
        await stack.AnswerAsync("agent-1", malformed);
        var changed = document.Bytes.ToArray();
        changed[^1] ^= 1;
        Assert.True(CommandDocument.TryParse(changed, out var badly));
        await stack.AnswerAsync("agent-1", ActionsStack.Word(badly, CommandState.Refused, "bad_signature"));
        await AllWereReadAsync(stack);
        Assert.Equal("queued", await StateAsync(stack, command));
        Assert.NotNull(await stack.Reader.ReadAsync("agent-1", 0));
        // What came as it was sent, and cannot be read there, is refused for good.
        await stack.AnswerAsync("agent-1", malformed with { Digest = ActionsStack.Text(CommandDocument.DigestOf(document.Bytes.Span)) });
        await stack.StateAsync(command.Id, "agent-1", "refused");
    }

    [Fact]
    public async Task Both_keys_are_believed_during_a_rotation_and_afterwards_the_new_one()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1", "agent-2");
        var old = stack.Agent("agent-1");
        using var next = new AgentIdentity("agent-1", SigningKey.Generate());
        foreach (var (before, by) in new[] { (true, old), (true, next), (false, next) })
        {
            var command = await stack.OrderAsync(ActionsStack.Status("agent-1"));
            var document = await stack.ReadAsync("agent-1");
            var word = ActionsStack.Word(document, CommandState.Finished);
            // The answer is there as soon as the key is: the services' copy of the identities may be behind.
            await stack.Identities.ChangeAsync("agent-1", last => last! with
            {
                PublicKey = ActionsStack.Text(next.PublicKey),
                PreviousKey = before ? ActionsStack.Text(old.PublicKey) : "",
            });
            if (!before)
            {
                await stack.PublishAsync("agent-1", CommandAnswer.Create(word with { State = CommandState.Failed }, old));
            }

            await stack.PublishAsync("agent-1", CommandAnswer.Create(word, by));
            var ended = await Eventually.ValueAsync(
                async () => (await stack.Actions.FindAsync(ActionsStack.Id(command.Id)))!, view => view.Agents.Single().HasEnded, "it ends", TimeSpan.FromSeconds(20));
            Assert.Equal("finished", ended.Agents.Single().State);
            await Eventually.TrueAsync(async () => await stack.Reader.ReadAsync("agent-1", 0) is null, "it has left the queue");
        }
    }

    [Fact]
    public async Task The_key_of_a_revoked_agent_moves_nothing()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1", "agent-2");
        var command = await stack.OrderAsync(ActionsStack.Status("agent-1"));
        var document = await stack.ReadAsync("agent-1");
        await stack.Identities.ChangeAsync("agent-1", last => last! with { State = IdentityRecord.Revoked });
        await Eventually.TrueAsync(
            async () => (await stack.Actions.OrderAsync(ActionsStack.Status("agent-1"))).Problem?.Code == "revoked", "the services know");
        await stack.AnswerAsync("agent-1", ActionsStack.Word(document, CommandState.Finished));
        await AllWereReadAsync(stack);
        Assert.Equal("queued", await StateAsync(stack, command));
    }

    [Fact]
    public async Task An_answer_whose_agent_is_not_known_yet_comes_again_until_it_is()
    {
        await using var stack = await ActionsStack.StartAsync("agent-1", "agent-2");
        var command = await stack.OrderAsync(ActionsStack.Status("agent-1"));
        var document = await stack.ReadAsync("agent-1");
        var identity = await stack.Identities.GetAsync("agent-1");
        await stack.Identities.RemoveAsync("agent-1");
        await Eventually.TrueAsync(
            async () => (await stack.Actions.OrderAsync(ActionsStack.Status("agent-1"))).Problem?.Code == "unknown_agent", "the services have forgotten it");
        await stack.AnswerAsync("agent-1", ActionsStack.Word(document, CommandState.Finished));
        // Those of others go on meanwhile.
        var other = await stack.OrderAsync(ActionsStack.Status("agent-2"));
        await stack.AnswerAsync("agent-2", ActionsStack.Word(await stack.ReadAsync("agent-2"), CommandState.Finished));
        await stack.StateAsync(other.Id, "agent-2", "finished");
        Assert.Equal("queued", await StateAsync(stack, command));
        await stack.Identities.PutAsync("agent-1", identity!);
        // A response that was not handled comes again after half a minute.
        await Eventually.TrueAsync(async () => await StateAsync(stack, command) == "finished", "the answer is not lost", TimeSpan.FromSeconds(60));
    }

    private static IEnumerable<(string Name, string Subject, byte[] Response)> Forgeries(
        ActionsStack stack, CommandDocument document, CommandEvent word, CommandAnswer genuine)
    {
        var key = SigningKey.Generate();
        using var gateway = new AgentIdentity("agent-1", key);
        foreach (var state in new[] { CommandState.Started, CommandState.Finished, CommandState.Failed, CommandState.Expired, CommandState.Refused, CommandState.Unknown })
        {
            yield return ($"{state}, signed by the gateway", "agent-1", CommandResponse.Write(CommandAnswer.Create(word with { State = state, Result = "" }, gateway)));
        }

        yield return ("malformed, signed by the gateway", "agent-1", CommandResponse.Write(CommandAnswer.Create(
            new CommandEvent(word.Command, ActionsStack.Text(CommandDocument.DigestOf([])), CommandState.Refused, 1, "malformed"), gateway)));
        yield return ("another result under the agent's signature", "agent-1", Altered(genuine, "{\"a\":1}"u8, "{\"a\":2}"u8));
        yield return ("another state under the agent's signature", "agent-1", Altered(genuine, "finished"u8, "received"u8));
        yield return ("no signature", "agent-1", Response([.. genuine.Bytes.Span[..^64], .. new byte[64]]));
        yield return ("cut before the signature", "agent-1", Response(genuine.Bytes.Span[..^64]));
        yield return ("a true answer of agent-1 as agent-2's", "agent-2", CommandResponse.Write(genuine));
        yield return ("an answer of agent-2 as agent-1's", "agent-1", CommandResponse.Write(CommandAnswer.Create(word, stack.Agent("agent-2"))));
        using var other = new AgentIdentity("agent-1", SigningKey.Generate());
        yield return ("an answer of agent-1 signed by another", "agent-1", CommandResponse.Write(CommandAnswer.Create(word, other)));
        yield return ("of nobody", "agent-9", CommandResponse.Write(CommandAnswer.Create(word, new AgentIdentity("agent-9", key))));
        yield return ("as it was before there were signatures", "agent-1", Encoding.UTF8.GetBytes(
            $"{{\"command\":\"{word.Command}\",\"digest\":\"{word.Digest}\",\"state\":\"finished\",\"at\":1,\"detail\":\"\"}}"));
        yield return ("the gateway's own word", "agent-1", CommandSent.Write(document.Id));
        yield return ("the gateway's own word of nobody", "a$b", CommandSent.Write(document.Id));
        yield return ("junk", "agent-1", [0xff, 0x00]);
        yield return ("nothing", "agent-1", []);
    }

    private static byte[] Altered(CommandAnswer answer, ReadOnlySpan<byte> what, ReadOnlySpan<byte> by)
    {
        var bytes = answer.Bytes.ToArray();
        by.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf(what)));
        return Response(bytes);
    }

    private static byte[] Response(ReadOnlySpan<byte> answer) => Encoding.UTF8.GetBytes($"{{\"answer\":\"{ActionsStack.Text(answer)}\"}}");

    /// <summary>Responses are read in order, and those that were handled leave the stream.</summary>
    private static async Task AllWereReadAsync(ActionsStack stack)
    {
        var marker = await stack.OrderAsync(ActionsStack.Status("agent-2"));
        await stack.PublishAsync("agent-2", CommandSent.Write(ActionsStack.Id(marker.Id)));
        await stack.StateAsync(marker.Id, "agent-2", "sent");
    }

    private static async Task<string> StateAsync(ActionsStack stack, CommandView command) =>
        (await stack.Actions.FindAsync(ActionsStack.Id(command.Id)))!.Agents.Single().State;
}
