using Streams.Worker.Commit;

namespace Streams.Worker.Tests.Fakes;

/// <summary>What the next insert does to the table and to the caller.</summary>
internal enum Fault
{
    /// <summary>Stored, success.</summary>
    None,

    /// <summary>Nothing stored, no answer.</summary>
    LostBefore,

    /// <summary>Stored, no answer.</summary>
    LostAfter,

    /// <summary>The token is written, the rows are not, no answer: ClickHouse killed at the rename of the part (review 1).</summary>
    TokenOnly,

    /// <summary>Stored, success, on a disk that is short of room.</summary>
    Short,

    /// <summary>As above, but the part was empty and is set aside before anybody reads.</summary>
    Emptied,

    /// <summary>Refused as too much at once.</summary>
    TooLarge,

    /// <summary>Refused for ever.</summary>
    Denied,

    /// <summary>Refused with a code that no table knows.</summary>
    Strange,
}

/// <summary>
/// Tables in memory that deduplicate by token the way ClickHouse does, and break the way it breaks. Records every statement in order.
/// </summary>
internal sealed class BreakableStore : IBatchStore
{
    private readonly Lock _gate = new();
    private readonly HashSet<(string Table, string Token)> _tokens = [];
    private readonly Dictionary<(string Table, string Batch), int> _rows = [];
    private readonly Queue<Fault> _faults = new();
    private int _unreadable;

    public List<string> Statements { get; } = [];

    public List<string> Tokens { get; } = [];

    /// <summary>Called at the start of each insert, before it takes effect.</summary>
    public Func<InsertTarget, Task>? OnInsert { get; set; }

    /// <summary>Batches that no block of a class table may contain.</summary>
    public HashSet<uint> Poison { get; } = [];

    /// <summary>KILL does not get through.</summary>
    public bool Unkillable { get; set; }

    public void Next(params Fault[] faults)
    {
        foreach (var fault in faults)
        {
            _faults.Enqueue(fault);
        }
    }

    /// <summary>The next read-backs fail, as when the server is away.</summary>
    public void Unreadable(int times) => _unreadable = times;

    public int Count(string table)
    {
        lock (_gate)
        {
            return _rows.Where(row => row.Key.Table == table).Sum(row => row.Value);
        }
    }

    public int MostCopies()
    {
        lock (_gate)
        {
            return _rows.Values.DefaultIfEmpty().Max();
        }
    }

    public async Task<InsertOutcome> InsertAsync(
        InsertTarget target, IReadOnlyList<PendingBatch> batches, string token, long serial, bool repeated, CancellationToken cancel)
    {
        if (OnInsert is { } wait)
        {
            await wait(target);
        }

        cancel.ThrowIfCancellationRequested();
        lock (_gate)
        {
            Statements.Add($"insert {target.Table} {string.Join(',', batches.Select(batch => batch.Batch.Name.N))}");
            Tokens.Add(token);
            var fault = _faults.Count == 0 ? Fault.None : _faults.Dequeue();
            if (target.Class is not null && batches.Any(batch => Poison.Contains(batch.Batch.Name.N)))
            {
                return new InsertOutcome(InsertVerdict.Split, "code 469: no", 469);
            }

            switch (fault)
            {
                case Fault.LostBefore:
                    return new InsertOutcome(InsertVerdict.InDoubt, "connection reset");
                case Fault.TokenOnly:
                    _tokens.Add((target.Table, token));
                    return new InsertOutcome(InsertVerdict.InDoubt, "connection reset");
                case Fault.Emptied:
                    _tokens.Add((target.Table, token));
                    return new InsertOutcome(InsertVerdict.Short, "0 bytes left");
                case Fault.TooLarge:
                    return new InsertOutcome(InsertVerdict.Split, "code 241", 241);
                case Fault.Strange:
                    return new InsertOutcome(InsertVerdict.InDoubt, "code 7777", 7777);
                case Fault.Denied:
                    return new InsertOutcome(InsertVerdict.Stop, "code 516");
            }

            if (_tokens.Add((target.Table, token)))
            {
                foreach (var batch in batches)
                {
                    var key = (target.Table, batch.Batch.ToString());
                    _rows[key] = _rows.GetValueOrDefault(key) + 1;
                }
            }

            return fault switch
            {
                Fault.LostAfter => new InsertOutcome(InsertVerdict.InDoubt, "timeout"),
                Fault.Short => new InsertOutcome(InsertVerdict.Short, "0 bytes left"),
                _ => default,
            };
        }
    }

    public Task KillAsync(long serial, CancellationToken cancel)
    {
        if (Unkillable)
        {
            throw new HttpRequestException("connection refused");
        }

        lock (_gate)
        {
            Statements.Add("kill");
        }

        return Task.CompletedTask;
    }

    public Task<bool[]> ReadBackAsync(InsertTarget target, IReadOnlyList<PendingBatch> batches, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (_unreadable > 0)
            {
                _unreadable--;
                throw new HttpRequestException("connection refused");
            }

            Statements.Add("read");
            return Task.FromResult(batches.Select(batch => _rows.ContainsKey((target.Table, batch.Batch.ToString()))).ToArray());
        }
    }
}
