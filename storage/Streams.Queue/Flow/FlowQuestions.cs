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

    /// <summary>Longest that one message waits: that it was lost must not cost those behind it their own time.</summary>
    private const long AttemptMilliseconds = 1000;

    private readonly Lock _gate = new();
    private readonly Queue<Question> _waiting = new();
    private readonly string _subject = Subjects.Watermarks(partition);
    private bool _asking;
    // After several together got no answer, which an owner of an older build never gives, each asks alone until one is answered.
    private bool _alone;

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
                if (asked.Count == 0)
                    continue;
                var patience = Math.Min(asked.Max(static question => question.Deadline) - now, AttemptMilliseconds);
                var answer = await answers.AskAsync(
                    _subject, Encoding.ASCII.GetBytes(string.Join(FlowCodec.AgentSeparator, asked.Select(static question => question.AgentId))),
                    TimeSpan.FromMilliseconds(patience), CancellationToken.None).ConfigureAwait(false);
                Complete(asked, answer, isLate: Environment.TickCount64 - now >= patience * 9 / 10);
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
            while (asked.Count < (_alone ? 1 : MaxAgents) && _waiting.TryPeek(out var next) && !asked.Exists(question => question.AgentId == next.AgentId))
                asked.Add(_waiting.Dequeue());
            return _asking = asked.Count > 0;
        }
    }

    /// <param name="isLate">There was no answer in time, and not nobody to ask.</param>
    private void Complete(List<Question> asked, byte[]? answer, bool isLate)
    {
        if (answer is null && isLate)
        {
            _alone = asked.Count > 1;
            asked.ForEach(Again);
            return;
        }

        _alone &= answer is null;
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

    /// <summary>The answer had no room for it, or did not come: while its time lasts.</summary>
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
