namespace Streams.Gateway.Heartbeat;

/// <summary>Something that has deadlines.</summary>
internal interface IWheelMember
{
    /// <summary>Place in the wheel; the wheel's own.</summary>
    int WheelIndex { get; set; }

    /// <summary>Looks at its deadlines. Must be quick; what it throws is a fault, which is told and costs the others nothing.</summary>
    /// <param name="now"><see cref="Environment.TickCount64"/>.</param>
    void Tick(long now);
}

/// <summary>
/// One timer for all connections. A timer each would cost memory per idle session; going through 10,000 members four times a second costs
/// about a millisecond a second.
/// </summary>
internal sealed class SharedWheel : IAsyncDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly List<IWheelMember> _members = [];
    private readonly PeriodicTimer _timer = new(Interval);
    private readonly Action<long> _first;
    private readonly Action<Exception> _fault;
    private IWheelMember[] _round = [];
    private Task _loop = Task.CompletedTask;
    private long _late;

    /// <param name="first">Called at the start of every round.</param>
    /// <param name="fault">Told of every exception of a member or of <paramref name="first"/>; the round goes on.</param>
    public SharedWheel(Action<long> first, Action<Exception> fault)
    {
        _first = first;
        _fault = fault;
    }

    /// <summary>The longest that a round began after it was due, ms, since the start: how much load delays heartbeats.</summary>
    public long WorstDelay => Interlocked.Read(ref _late);

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _members.Count;
            }
        }
    }

    public void Start() => _loop = Task.Run(RunAsync);

    public void Add(IWheelMember member)
    {
        lock (_gate)
        {
            member.WheelIndex = _members.Count;
            _members.Add(member);
        }
    }

    public void Remove(IWheelMember member)
    {
        lock (_gate)
        {
            var index = member.WheelIndex;
            var last = _members[^1];
            _members[index] = last;
            last.WheelIndex = index;
            _members.RemoveAt(_members.Count - 1);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var due = Environment.TickCount64;
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            due += (long)Interval.TotalMilliseconds;
            var now = Environment.TickCount64;
            if (now - due > Interlocked.Read(ref _late))
            {
                Interlocked.Exchange(ref _late, now - due);
            }

            due = Math.Max(due, now - (long)Interval.TotalMilliseconds);
            TellFirst(now);
            var count = Copy();
            for (var i = 0; i < count; i++)
            {
                Tick(_round[i], now);
            }

            Array.Clear(_round, 0, count);
        }
    }

    private void TellFirst(long now)
    {
        try
        {
            _first(now);
        }
        catch (Exception fault)
        {
            _fault(fault);
        }
    }

    /// <summary>One member's fault must not stop the deadlines of all.</summary>
    private void Tick(IWheelMember member, long now)
    {
        try
        {
            member.Tick(now);
        }
        catch (Exception fault)
        {
            _fault(fault);
        }
    }

    /// <summary>Members are visited outside the lock: they may leave, or end sessions that do.</summary>
    private int Copy()
    {
        lock (_gate)
        {
            if (_round.Length < _members.Count)
            {
                _round = new IWheelMember[Math.Max(_members.Count, _round.Length * 2)];
            }

            _members.CopyTo(_round);
            return _members.Count;
        }
    }
}
