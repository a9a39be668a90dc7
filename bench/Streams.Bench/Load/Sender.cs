using System.Diagnostics;

namespace Streams.Bench.Load;

/// <summary>
/// The clock of a load: offers every agent's batches when they are due, on one thread. An agent whose link has no room keeps its place in the schedule and is asked
/// again; the others are not held up, and its later batches become due all the same.
/// </summary>
internal sealed class Sender
{
    /// <summary>A batch that is taken later than this behind its due time is late: ten times what the thread's own sleep may add.</summary>
    public static readonly TimeSpan LateAfter = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(50);

    private readonly LoadAgent[] _agents;
    private readonly AgentSchedule[]? _schedules;
    private readonly double[] _due;
    private readonly int _rows;
    private readonly PriorityQueue<int, double> _next = new();
    private long _accepted;
    private long _late;
    private long _taken;

    /// <param name="schedules">One for each agent; null offers as much as is taken.</param>
    public Sender(LoadAgent[] agents, AgentSchedule[]? schedules, int rowsPerBatch)
    {
        _agents = agents;
        _schedules = schedules;
        _rows = rowsPerBatch;
        _due = new double[agents.Length];
        for (var i = 0; i < agents.Length; i++)
        {
            Schedule(i, schedules?[i].Next() ?? 0);
        }
    }

    public long Accepted => Volatile.Read(ref _accepted);

    public long Late => Volatile.Read(ref _late);

    /// <summary>Due time of the oldest batch that was not taken yet; infinity when none is left.</summary>
    public double OldestDue => _due.Min();

    /// <summary>Runs until the schedule ends and everything of it was taken, or <paramref name="end"/> says so.</summary>
    /// <param name="clock">Stands at 0 when the load starts; negative before.</param>
    /// <param name="end">Asked about once a millisecond with the rows taken so far.</param>
    public void Run(Func<double> clock, Func<double, long, bool> end)
    {
        while (_next.TryPeek(out var agent, out var when))
        {
            var now = clock();
            if (end(now, _taken))
            {
                return;
            }

            if (when > now)
            {
                // Rounded up: a sleep of less than a millisecond is none, and this thread would spin through the time of those it measures.
                Thread.Sleep((int)Math.Ceiling(Math.Min(when - now, LongestSleep.TotalSeconds) * 1000));
                continue;
            }

            _next.Dequeue();
            if (!_agents[agent].TrySend())
            {
                // What is due stays due: only the time of asking moves.
                _next.Enqueue(agent, now + AskAgain.TotalSeconds);
                continue;
            }

            _taken += _rows;
            Volatile.Write(ref _accepted, _taken);
            if (_schedules is null)
            {
                _next.Enqueue(agent, now);
                continue;
            }

            if (now - _due[agent] > LateAfter.TotalSeconds)
            {
                Volatile.Write(ref _late, _late + _rows);
            }

            Schedule(agent, _schedules[agent].Next());
        }
    }

    private void Schedule(int agent, double due)
    {
        Volatile.Write(ref _due[agent], due);
        if (!double.IsPositiveInfinity(due))
        {
            _next.Enqueue(agent, due);
        }
    }

    /// <summary>Seconds since a moment that may lie ahead.</summary>
    public static Func<double> Clock(DateTime start)
    {
        var offset = (DateTime.UtcNow - start).TotalSeconds;
        var watch = Stopwatch.StartNew();
        return () => offset + watch.Elapsed.TotalSeconds;
    }
}
