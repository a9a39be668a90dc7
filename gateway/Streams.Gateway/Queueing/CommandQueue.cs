using Streams.Control.Commands;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.Gateway.Queueing;

/// <summary>
/// The message queue of one agent, for the time of a session. What waits is in the queue's stream and is read one by one, from the first
/// that was not removed: so nothing is kept here, a later session or another gateway goes on, and a command may come to the agent again,
/// which it answers again. At most eight are unanswered, so a slow agent fills nobody's memory. Thread-safe.
/// </summary>
internal sealed class CommandQueue(GatewayCore core, AgentCommands commands, AgentSession session)
{
    /// <summary>Commands that were sent and of which the agent has said nothing.</summary>
    public const int Window = 8;

    /// <summary>Answers that wait for the queue. Three a command, and the window as often again.</summary>
    public const int MaxAnswers = 6 * Window;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly HashSet<string> _unanswered = new(StringComparer.Ordinal);
    private readonly Queue<ReadOnlyMemory<byte>> _answers = new();
    private ulong _next;
    private bool _looking;
    private bool _lookAgain;
    private bool _pausing;

    /// <summary>Looks for commands that wait; returns at once.</summary>
    public void Look()
    {
        lock (_gate)
        {
            _lookAgain = true;
            if (_looking)
            {
                return;
            }

            _looking = true;
        }

        _ = LookAsync();
    }

    /// <summary>Looks within so many milliseconds: a queue that comes back wakes all sessions at once.</summary>
    public async Task LookWithinAsync(long milliseconds)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.NextInt64(milliseconds)), core.Time).ConfigureAwait(false);
        Look();
    }

    /// <summary>The agent's word about a command, for the services. False: more wait for the queue than may.</summary>
    public bool TryAnswer(string commandId, ReadOnlyMemory<byte> payload)
    {
        bool first;
        lock (_gate)
        {
            if (_answers.Count >= MaxAnswers)
            {
                return false;
            }

            _answers.Enqueue(payload);
            first = _answers.Count == 1;
        }

        if (first)
        {
            _ = PublishAsync();
        }

        Answered(commandId);
        return true;
    }

    /// <summary>The agent has spoken of a command: the next may go.</summary>
    public void Answered(string commandId)
    {
        bool moved;
        lock (_gate)
        {
            moved = _unanswered.Remove(commandId);
        }

        if (moved)
        {
            Look();
        }
    }

    /// <summary>After a pause, from the first command that waits: something between here and there was not taken.</summary>
    public async Task BeginAgainAsync()
    {
        lock (_gate)
        {
            _unanswered.Clear();
            _next = 0;
            if (_pausing)
            {
                // However often an agent says that it has no room, it is sent everything again once a pause.
                return;
            }

            _pausing = true;
        }

        await Task.Delay(Pause, core.Time).ConfigureAwait(false);
        lock (_gate)
        {
            _pausing = false;
        }

        Look();
    }

    private bool IsOver => session.Ended != SessionEnd.None;

    private async Task LookAsync()
    {
        while (true)
        {
            ulong from;
            lock (_gate)
            {
                if (IsOver || _unanswered.Count >= Window || !_lookAgain || core.Identities.IsQuarantined(session.Route.AgentId))
                {
                    _looking = false;
                    return;
                }

                from = _next;
                _lookAgain = false;
            }

            try
            {
                if (await commands.Reader.ReadAsync(session.Route.AgentId, from).ConfigureAwait(false) is not { } found)
                {
                    continue;
                }

                if (!Send(found, from))
                {
                    // The session has ended, or too much else waits for the agent.
                    await Task.Delay(Pause, core.Time).ConfigureAwait(false);
                }
            }
            catch (QueueException)
            {
                core.Metrics.Error("commands");
                await Task.Delay(Pause, core.Time).ConfigureAwait(false);
            }

            lock (_gate)
            {
                _lookAgain = true;
            }
        }
    }

    /// <summary>True when it is dealt with: sent, or not to be.</summary>
    private bool Send(QueuedCommand found, ulong from)
    {
        if (!CommandDocument.TryParse(found.Document.Span, out var document))
        {
            core.Metrics.Command("malformed");
        }
        else if (document.Fields.Deadline < (ulong)core.UnixMicroseconds())
        {
            core.Metrics.Command("expired");
        }
        else if (!Send(document))
        {
            return false;
        }

        lock (_gate)
        {
            // Unless it was begun again meanwhile.
            _next = _next == from ? found.Sequence + 1 : _next;
        }

        return true;
    }

    private bool Send(CommandDocument document)
    {
        var id = document.Id.ToString();
        var message = new ControlMessage(
            MessageType.Request, commands.Channel, id, "core", (ulong)core.UnixMicroseconds(), CommandRequest.Write(document.Bytes.Span));
        var first = false;
        // Held all the while, or an agent's "received" could come before our "sent", which would then be no step any more.
        lock (_gate)
        {
            _unanswered.Add(id);
            if (!session.TrySend(message))
            {
                _unanswered.Remove(id);
                return false;
            }

            // The gateway's own word: nobody waits for it, so it may be missing.
            if (_answers.Count < MaxAnswers)
            {
                _answers.Enqueue(CommandSent.Write(document.Id));
                first = _answers.Count == 1;
            }
        }

        core.Metrics.Command("sent");
        if (first)
        {
            _ = PublishAsync();
        }

        return true;
    }

    /// <summary>
    /// One at a time, so that received comes before finished. What the queue does not take is dropped, and the agent is asked again from the
    /// first command that waits: it has the answers in its journal.
    /// </summary>
    private async Task PublishAsync()
    {
        while (true)
        {
            ReadOnlyMemory<byte> next;
            lock (_gate)
            {
                if (!_answers.TryPeek(out next))
                {
                    return;
                }
            }

            var taken = await commands.Responses.TryPublishAsync(session.Route.AgentId, next).ConfigureAwait(false);
            lock (_gate)
            {
                _answers.Dequeue();
                if (!taken)
                {
                    _answers.Clear();
                }

                if (taken && _answers.Count > 0)
                {
                    continue;
                }
            }

            if (!taken)
            {
                core.Metrics.Error("response");
                await BeginAgainAsync().ConfigureAwait(false);
            }

            return;
        }
    }
}
