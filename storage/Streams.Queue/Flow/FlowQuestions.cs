using System.Text;

namespace Streams.Queue;

/// <summary>
/// The questions of one process to the owner of one partition. One is on its way at a time; those that come meanwhile go together in the next: a fleet that comes back
/// costs a message for as many as <see cref="MaxAgents"/> sessions that begin, and one that comes alone waits for nobody. As many wait as there are askers. Thread-safe.
/// </summary>
internal sealed class FlowQuestions(AnswerInbox answers, int partition)
{
    /// <summary>Agents of one question.</summary>
    public const int MaxAgents = 64;

    private readonly Lock _gate = new();
    private readonly Queue<Question> _waiting = new();
    private readonly string _subject = Subjects.Watermarks(partition);
    private bool _asking;

    /// <inheritdoc cref="FlowSubscriber.AskAsync"/>
    public Task<IReadOnlyList<FlowRecord>?> AskAsync(string agentId, TimeSpan patience, CancellationToken cancel)
    {
        var question = new Question(agentId, Environment.TickCount64 + (long)patience.TotalMilliseconds);
        lock (_gate)
        {
            _waiting.Enqueue(question);
            if (_asking)
                return question.Task.WaitAsync(cancel);
            _asking = true;
        }

        _ = AskAllAsync();
        return question.Task.WaitAsync(cancel);
    }

    private async Task AskAllAsync()
    {
        var asked = new List<Question>(MaxAgents);
        while (Take(asked))
        {
            try
            {
                // Those that waited as long as they would, behind one without an answer, get none either.
                var now = Environment.TickCount64;
                asked.RemoveAll(question => question.Deadline <= now && question.TrySetResult(null));
                var patience = asked.Count == 0 ? 0 : asked.Max(static question => question.Deadline) - now;
                var answer = asked.Count == 0 ? null : await answers.AskAsync(
                    _subject, Encoding.ASCII.GetBytes(string.Join(FlowCodec.AgentSeparator, asked.Select(static question => question.AgentId))),
                    TimeSpan.FromMilliseconds(patience), CancellationToken.None).ConfigureAwait(false);
                Complete(asked, answer);
            }
            catch (Exception fault)
            {
                asked.ForEach(question => question.TrySetException(fault));
            }
        }
    }

    /// <summary>The next, each agent once; false when none wait, and then nobody asks any more.</summary>
    private bool Take(List<Question> asked)
    {
        asked.Clear();
        lock (_gate)
        {
            while (asked.Count < MaxAgents && _waiting.TryPeek(out var next) && !asked.Exists(question => question.AgentId == next.AgentId))
                asked.Add(_waiting.Dequeue());
            return _asking = asked.Count > 0;
        }
    }

    private void Complete(List<Question> asked, byte[]? answer)
    {
        var records = new List<FlowRecord>();
        var answered = 0;
        if (answer is not null && FlowCodec.TryReadAnswer(answer, asked.Count, records, out answered) != FlowError.None)
            QueueMetrics.Shared.Error("flow");
        if (asked.Count == 1)
        {
            asked[0].TrySetResult(answered == 1 ? records : null);
            return;
        }

        var byAgent = records.ToLookup(static record => record.AgentId, StringComparer.Ordinal);
        for (var index = 0; index < asked.Count; index++)
        {
            if (index < answered)
                asked[index].TrySetResult([.. byAgent[asked[index].AgentId]]);
            else if (answered == 0)
                asked[index].TrySetResult(null);
            else
                Again(asked[index]);
        }
    }

    /// <summary>The answer had no room for it.</summary>
    private void Again(Question question)
    {
        lock (_gate)
        {
            _waiting.Enqueue(question);
        }
    }

    /// <param name="deadline"><see cref="Environment.TickCount64"/>.</param>
    private sealed class Question(string agentId, long deadline) : TaskCompletionSource<IReadOnlyList<FlowRecord>?>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public string AgentId => agentId;

        public long Deadline => deadline;
    }
}
