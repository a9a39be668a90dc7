using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Streams.Agent.Logging;
using Streams.Control.Commands;
using Streams.Wire.Handshake;

namespace Streams.Agent.Modules.Core.Commands;

/// <summary>
/// Commands as they come from the gateway, which is believed nothing: each is verified by the table and the pinned roots, remembered, run
/// once, and answered. One at a time, in the order of arrival, on the pool: fsyncs must not hold up the connection. What cannot be answered
/// now, because the session is gone, is answered when the command comes again.
/// </summary>
internal sealed class CommandControl(
    CommandVerifier verifier,
    CommandJournal? journal,
    IReadOnlyList<ICommandHandler> handlers,
    Func<AgentIdentity> identity,
    Action<CommandAnswer> answer,
    AgentLog log,
    TimeProvider clock) : IDisposable
{
    /// <summary>The gateway has eight unanswered at most; another session of it may bring the same again.</summary>
    public const int MaxWaiting = 16;

    private const int MaxLoggedIdBytes = 64;

    private readonly Lock _gate = new();
    private readonly Queue<(string MessageId, byte[] Payload)> _waiting = new();
    private readonly List<CommandEvent> _interrupted = [];
    private Task _work = Task.CompletedTask;
    private bool _closed;

    /// <summary>
    /// Says of commands that an earlier process began and did not end that nobody knows how they ended. Call it before the first session.
    /// </summary>
    public void Recover()
    {
        foreach (var entry in journal?.WithoutResult.ToArray() ?? [])
        {
            var word = new CommandEvent(
                entry.Id.ToString(), Base64Url.EncodeToString(entry.Digest), CommandState.Unknown, Now(), "agent_ended");
            log.Warn(AgentEvent.CommandUnknown, ModuleName.Core,
                $"command {entry.Id} was begun by an earlier process and not ended: it is not run again");
            _interrupted.Add(word);
            try
            {
                journal!.End(entry, Sign(word).Bytes.Span);
            }
            catch (IOException e)
            {
                // It is still without a result, so nobody runs it; the next start says so again.
                log.Error(AgentEvent.CommandJournal, ModuleName.Core, $"the journal of commands cannot be written: {e.Message}");
            }
        }
    }

    /// <summary>A session began: tells of what was interrupted, whose commands may not come again.</summary>
    public void SessionBegan()
    {
        foreach (var word in _interrupted)
            Answer(word);
    }

    /// <summary>A request on agent.control. Any thread; returns at once. False: too many wait, and this one has to come again.</summary>
    public bool Receive(string messageId, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (_closed || _waiting.Count >= MaxWaiting)
            {
                log.Warn(AgentEvent.CommandDropped, ModuleName.Core, $"{MaxWaiting} commands wait: one more is left to come again");
                return false;
            }

            _waiting.Enqueue((messageId, payload.ToArray()));
            if (_waiting.Count == 1)
                _work = _work.ContinueWith(_ => Drain(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return true;
        }
    }

    /// <summary>Takes no more, and waits for the one that runs.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _waiting.Clear();
        }

        _work.Wait(TimeSpan.FromSeconds(2));
        journal?.Dispose();
    }

    private void Drain()
    {
        while (true)
        {
            (string MessageId, byte[] Payload) next;
            lock (_gate)
            {
                if (!_waiting.TryPeek(out next))
                    return;
            }

            try
            {
                Handle(next.MessageId, next.Payload);
            }
            catch (Exception e)
            {
                log.Error(AgentEvent.CommandJournal, ModuleName.Core, $"command {Short(next.MessageId)}: {e.GetType().Name}: {e.Message}");
            }

            lock (_gate)
            {
                // Only now, so that a request which comes meanwhile starts no second drain.
                if (_waiting.TryDequeue(out _) && _waiting.Count > 0)
                    continue;
                return;
            }
        }
    }

    private void Handle(string messageId, byte[] payload)
    {
        var carried = CommandRequest.Carried(payload);
        if (!CommandDocument.TryParse(carried, out var document))
        {
            log.Warn(AgentEvent.CommandRefused, ModuleName.Core, $"command {Short(messageId)} refused: malformed");
            if (CommandId.TryParse(messageId, out _))
                Answer(new CommandEvent(
                    messageId, Base64Url.EncodeToString(CommandDocument.DigestOf(carried)), CommandState.Refused, Now(), Detail(CommandRefusal.Malformed)));
            return;
        }

        var refusal = verifier.CheckSigner(document);
        if (refusal != CommandRefusal.None)
        {
            Refuse(document, refusal);
            return;
        }

        if (journal is null)
        {
            Refuse(document, CommandRefusal.JournalFailed);
            return;
        }

        if (journal.TryFind(document.Id, out var known))
            Repeat(document, known);
        else if (verifier.CheckTerms(document) is not CommandRefusal.None and var term)
            RefuseTerm(document, term);
        else if (handlers.FirstOrDefault(handler => handler.Kind == document.Fields.Kind) is { } handler)
            Execute(document, handler, journal);
        else
            Refuse(document, CommandRefusal.Unsupported);
    }

    private void Repeat(CommandDocument document, JournalEntry known)
    {
        if (!document.Digest.SequenceEqual(known.Digest))
        {
            Refuse(document, CommandRefusal.IdReused);
            return;
        }

        var said = journal!.ReadAnswer(known);
        // Signed again: the key may have been changed since.
        Answer(said is not null && CommandAnswer.TryParse(said, out var kept) ? kept.Word
            : CommandEvent.Of(document, CommandState.Unknown, Now(), "answer_not_kept"));
    }

    private void Execute(CommandDocument document, ICommandHandler handler, CommandJournal remembered)
    {
        try
        {
            if (!remembered.TryBegin(document))
            {
                Refuse(document, CommandRefusal.JournalFull);
                return;
            }
        }
        catch (IOException e)
        {
            log.Error(AgentEvent.CommandJournal, ModuleName.Core, $"the journal of commands cannot be written: {e.Message}");
            Refuse(document, CommandRefusal.JournalFailed);
            return;
        }

        remembered.TryFind(document.Id, out var entry);
        Answer(CommandEvent.Of(document, CommandState.Received, Now()));
        Answer(CommandEvent.Of(document, CommandState.Started, Now()));
        var word = RunOne(document, handler);
        var signed = Sign(word);
        remembered.End(entry!, signed.Bytes.Span);
        log.Info(AgentEvent.CommandEnded, ModuleName.Core,
            $"command {document.Id} {document.Fields.Kind} of {document.Fields.Actor}: {word.State.Name()}");
        answer(signed);
    }

    private CommandEvent RunOne(CommandDocument document, ICommandHandler handler)
    {
        try
        {
            var result = handler.Run(document);
            if (result.Length > CommandLimits.MaxResultBytes)
                return CommandEvent.Of(document, CommandState.Finished, Now(), "result_too_long");
            return CommandResult.Normalise(result) is { } json
                ? CommandEvent.Of(document, CommandState.Finished, Now(), "", json)
                : CommandEvent.Of(document, CommandState.Failed, Now(), "result_malformed");
        }
        catch (Exception e)
        {
            return CommandEvent.Of(document, CommandState.Failed, Now(), Clean(e.Message));
        }
    }

    private void RefuseTerm(CommandDocument document, CommandRefusal term)
    {
        // Before it is said: who was told so must not see it run later.
        if (term == CommandRefusal.Expired)
            journal!.Expire(document);
        Refuse(document, term);
    }

    private void Refuse(CommandDocument document, CommandRefusal refusal)
    {
        log.Warn(AgentEvent.CommandRefused, ModuleName.Core, $"command {document.Id} {document.Fields.Kind} refused: {Detail(refusal)}");
        Answer(refusal == CommandRefusal.Expired
            ? CommandEvent.Of(document, CommandState.Expired, Now())
            : CommandEvent.Of(document, CommandState.Refused, Now(), Detail(refusal)));
    }

    private void Answer(CommandEvent word) => answer(Sign(word));

    private CommandAnswer Sign(CommandEvent word) => CommandAnswer.Create(word, identity());

    private ulong Now() => (ulong)Math.Max(0, (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);

    private static string Detail(CommandRefusal refusal) => JsonNamingPolicy.SnakeCaseLower.ConvertName(refusal.ToString());

    private static string Short(string messageId) => messageId[..Math.Min(messageId.Length, MaxLoggedIdBytes)];

    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, CommandLimits.MaxDetailBytes)))
            clean.Append(c is >= ' ' and <= '~' ? c : '?');
        return clean.ToString();
    }
}
