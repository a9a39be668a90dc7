using System.Buffers.Text;
using Microsoft.Extensions.Logging;
using Streams.Control.Commands;
using Streams.Queue;
using Streams.Queue.Producing;

namespace Streams.Services.Actions;

/// <summary>
/// Commands, from an operator's order to the agent's last word: signs and stores them, wakes the gateway, takes the answers, lets what was
/// not answered expire, and removes from the queue what has ended. Everything that must last is in the queue's store, so any number of
/// these may run.
/// </summary>
public sealed class ActionsService : IAsyncDisposable
{
    private readonly BucketCache<CommandRecord> _cache;
    private readonly BucketCache<IdentityRecord> _identities;
    private readonly CommandMailbox _mailbox;
    private readonly CommandIssuer? _issuer;
    private readonly CommandBook _book;
    private readonly CommandSweep _sweep;
    private readonly AnswerCheck _check;
    private readonly ResponseFaults _faults;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private ResponseReader? _responses;

    private ActionsService(
        QueueConnection queue, CommandIssuer? issuer, CommandStore store, BucketCache<CommandRecord> cache,
        BucketCache<IdentityRecord> identities, AnswerCheck check, RowProducer producer, TimeProvider time)
    {
        _logger = queue.Options.LoggerFactory.CreateLogger("Streams.Services.Actions");
        _cache = cache;
        _identities = identities;
        _check = check;
        _issuer = issuer;
        _time = time;
        _mailbox = new CommandMailbox(queue);
        _book = new CommandBook(store, cache, producer, time, _logger);
        _faults = new ResponseFaults(_logger, time);
        _sweep = new CommandSweep(_book, _mailbox, new CommandReader(queue), time, _logger);
    }

    /// <param name="queue">Of the services' role; not owned.</param>
    /// <param name="issuer">Not owned; null: no command is given, those that are under way go on.</param>
    /// <param name="producer">Of this process; not owned.</param>
    /// <exception cref="QueueException">The queue cannot be used.</exception>
    public static async Task<ActionsService> StartAsync(
        QueueConnection queue, CommandIssuer? issuer, RowProducer producer, TimeProvider? time = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        var store = await CommandStore.OpenAsync(queue, cancel).ConfigureAwait(false);
        var identities = await IdentityStore.OpenAsync(queue, cancel).ConfigureAwait(false);
        var cache = await BucketCache<CommandRecord>.OpenAsync(store.WatchAsync, cancel).ConfigureAwait(false);
        BucketCache<IdentityRecord>? known = null;
        try
        {
            known = await BucketCache<IdentityRecord>.OpenAsync(identities.WatchAsync, cancel).ConfigureAwait(false);
            var service = new ActionsService(
                queue, issuer, store, cache, known, new AnswerCheck(identities, known), producer, time ?? TimeProvider.System);
            service._responses = ResponseReader.Start(queue, service.HearAsync);
            service._sweep.Start();
            return service;
        }
        catch
        {
            await cache.DisposeAsync().ConfigureAwait(false);
            await (known?.DisposeAsync() ?? default).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Takes an order: entered first, then in the agents' queues. What is entered and did not get there expires.</summary>
    /// <exception cref="QueueException">The queue is away.</exception>
    public async Task<(CommandView? Command, CommandProblem? Problem)> OrderAsync(CommandOrder order, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        if (Check(order) is { } problem)
        {
            return (null, problem);
        }

        CommandDocument document;
        try
        {
            document = _issuer!.Sign(order);
        }
        catch (ArgumentException error)
        {
            var message = error.Message.Split(" (Parameter", 2)[0];
            return (null, new CommandProblem("invalid", message.Split(':', 2)[0], message));
        }

        var id = document.Id.ToString();
        var now = _time.GetUtcNow();
        var record = new CommandRecord(
            order.Kind, order.Actor, now, document.Fields.Deadline, Base64Url.EncodeToString(document.Digest), 0,
            CommandState.Queued.Name(), now);
        try
        {
            return await GiveAsync(document, record, cancel).ConfigureAwait(false);
        }
        catch (QueueException failure)
        {
            // Some agents may have it: who asked needs to know what to look for.
            throw new QueueException($"Command {id} is not with all of its agents. {failure.Message}", failure);
        }
    }

    private async Task<(CommandView? Command, CommandProblem? Problem)> GiveAsync(CommandDocument document, CommandRecord record, CancellationToken cancel)
    {
        var id = document.Id.ToString();
        var full = 0;
        foreach (var agent in document.Fields.Agents)
        {
            await _book.EnterAsync(id, agent, record, cancel).ConfigureAwait(false);
            var posting = await _mailbox.PostAsync(agent, id, document.Bytes, cancel).ConfigureAwait(false);
            if (posting.Outcome == CommandPostOutcome.Stored)
            {
                await _book.PlaceAsync(id, agent, posting.Sequence, cancel).ConfigureAwait(false);
                await _mailbox.NudgeAsync(agent, cancel).ConfigureAwait(false);
                continue;
            }

            full++;
            var why = posting.Outcome == CommandPostOutcome.AgentFull ? "too_many_waiting" : "queue_full";
            await _book.MoveAsync(id, agent, CommandState.Refused, why, "", _ => true, cancel).ConfigureAwait(false);
            if (full == document.Fields.Agents.Count)
            {
                return (null, Full(posting.Outcome, document.Fields.Agents));
            }
        }

        return (await _book.FindAsync(document.Id, cancel).ConfigureAwait(false), null);
    }

    /// <summary>A command with what its agents answered; null: there is none, or it is long over.</summary>
    public Task<CommandView?> FindAsync(CommandId id, CancellationToken cancel = default) => _book.FindAsync(id, cancel);

    /// <summary>Commands that have not ended, by agent.</summary>
    public IReadOnlyDictionary<string, int> Waiting() => _book.All.Where(entry => !CommandBook.StateOf(entry.Record).IsEnd())
        .GroupBy(entry => entry.AgentId).ToDictionary(group => group.Key, group => group.Count());

    public async ValueTask DisposeAsync()
    {
        if (_responses is not null)
        {
            await _responses.DisposeAsync().ConfigureAwait(false);
        }

        await _sweep.DisposeAsync().ConfigureAwait(false);
        await _cache.DisposeAsync().ConfigureAwait(false);
        await _identities.DisposeAsync().ConfigureAwait(false);
    }

    private CommandProblem? Check(CommandOrder order)
    {
        switch (CommandTable.SignerOf(order.Kind))
        {
            case null:
                return new CommandProblem("invalid", "kind", $"kind: {order.Kind} does not exist");
            case CommandSigner.Operator:
                return new CommandProblem(
                    "needs_operator", "kind", $"kind: {order.Kind} changes a host, so agents take it only with an operator's own signature");
        }

        if (order.Kind != "status")
        {
            return new CommandProblem("unsupported", "kind", $"kind: {order.Kind} is not served yet; status is");
        }

        if (_issuer is null)
        {
            return new CommandProblem("unsupported", "kind", "kind: these services have no key to sign commands with; start them with --service-key");
        }

        if (_issuer.Trouble() is { } trouble)
        {
            return new CommandProblem("unsupported", "kind", trouble);
        }

        foreach (var agent in order.Agents)
        {
            if (!_identities.TryGet(agent, out var identity))
            {
                return new CommandProblem("unknown_agent", "agents", $"agents: {agent} is not known");
            }

            if (identity.State == IdentityRecord.Revoked)
            {
                return new CommandProblem("revoked", "agents", $"agents: {agent} is revoked, it has no session");
            }
        }

        return null;
    }

    private static CommandProblem Full(CommandPostOutcome outcome, IReadOnlyList<string> agents) => outcome == CommandPostOutcome.AgentFull
        ? new CommandProblem("too_many_waiting", "agents", $"agents: {CommandLimits.MaxWaiting} commands wait for {agents[^1]}, which is the most that may")
        : new CommandProblem("queue_full", "agents", "agents: the queue of commands has no room; wait until some have ended");

    /// <summary>A response from the stream, which any gateway may write to. What cannot be judged or kept now throws, and comes again.</summary>
    private async Task HearAsync(string agentId, ReadOnlyMemory<byte> response, CancellationToken cancel)
    {
        if (Wire.AgentId.IsValid(agentId) && CommandSent.Read(response.Span) is { } sent)
        {
            // Nobody signed it: it ends nothing and removes nothing.
            await _book.MoveAsync(sent.ToString(), agentId, CommandState.Sent, "", "", _ => true, cancel).ConfigureAwait(false);
        }
        else if (CommandResponse.Read(response.Span) is not { } answer)
        {
            _faults.Malformed(agentId, response.Length);
        }
        else if (answer.AgentId != agentId || !await IsSignedAsync(answer, cancel).ConfigureAwait(false))
        {
            _faults.Unsigned(agentId, answer.Word.Command, answer.Word.State.Name());
        }
        else
        {
            await MoveAsync(agentId, answer.Word, cancel).ConfigureAwait(false);
        }
    }

    private async Task<bool> IsSignedAsync(CommandAnswer answer, CancellationToken cancel)
    {
        if (await _check.IsSignedAsync(answer, cancel).ConfigureAwait(false) is { } signed)
        {
            return signed;
        }

        // Commands are for agents that are known, so this one's identity will be back: the queue lost it. Of others nobody waits for a word.
        return await _book.WaitsAsync(answer.Word.Command, answer.AgentId, cancel).ConfigureAwait(false)
            ? throw new QueueException($"The identity of {answer.AgentId} is not known now.")
            : false;
    }

    private async Task MoveAsync(string agentId, CommandEvent word, CancellationToken cancel)
    {
        // The digest does not cover the command's signature. We signed it well, so a gateway changed it, to have the agent refuse what then would leave the queue.
        if (word is { State: CommandState.Refused, Detail: "bad_signature" })
        {
            _faults.Altered(agentId, word.Command);
        }
        // The agent may speak of what it was given, and only of exactly that.
        else if (!await _book.MoveAsync(
            word.Command, agentId, word.State, word.Detail, word.Result, record => word.Digest == record.Digest, cancel).ConfigureAwait(false))
        {
            _logger.ResponseIgnored(agentId, word.Command, word.State.Name());
        }
        else if (word.State.IsEnd())
        {
            _sweep.Wake();
        }
    }
}
