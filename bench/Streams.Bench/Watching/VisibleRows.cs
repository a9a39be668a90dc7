using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Streams.Bench.Running;

namespace Streams.Bench.Watching;

/// <summary>
/// The reader whose first sight of a row ends its latency. It asks for new parts, which is when rows can be selected, and then for the times of the rows in them.
/// What it sees is up to one round older than it says; nothing makes it say too little.
/// </summary>
internal sealed class VisibleRows : IAsyncDisposable
{
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(50);

    private readonly EngineClient _engine;
    private readonly string _prefix;
    private readonly long _shift;
    private readonly HashSet<string> _seen = [];
    private readonly Channel<(string Table, string Part, long Seen)> _parts = Channel.CreateUnbounded<(string, string, long)>();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private readonly Task _reading;
    private long _lastAsked;

    /// <param name="prefix">Of the agents whose rows carry their scheduled times.</param>
    /// <param name="shift">Microseconds to add to a row's time for the time at which it was due.</param>
    public VisibleRows(EngineClient engine, string prefix, long shift)
    {
        _engine = engine;
        _prefix = prefix;
        _shift = shift;
        _loop = Task.Run(LookAsync);
        _reading = Task.Run(ReadAsync);
    }

    public LatencyHistogram Latency { get; } = new();

    /// <summary>Rounds of the reader: by so much a latency may be too high.</summary>
    public LatencyHistogram Rounds { get; } = new();

    /// <summary>Looks once more and ends.</summary>
    /// <exception cref="BenchFailure">A query failed.</exception>
    public async Task EndAsync()
    {
        await Task.Delay(2 * Round);
        await _stop.CancelAsync();
        await _loop;
        _parts.Writer.Complete();
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _parts.Writer.TryComplete();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task LookAsync()
    {
        _lastAsked = Stopwatch.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            var asked = Stopwatch.GetTimestamp();
            var parts = await _engine.QueryAsync(
                $"SELECT table, name FROM system.parts WHERE active AND level = 0 AND database = currentDatabase() AND table IN ({EventTables.List})", CancellationToken.None);
            var now = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            Rounds.Record((long)Stopwatch.GetElapsedTime(_lastAsked).TotalMicroseconds);
            _lastAsked = asked;
            foreach (var part in parts.Where(part => _seen.Add($"{part[0]}/{part[1]}")))
            {
                _parts.Writer.TryWrite((part[0], part[1], now));
            }

            await Task.Delay(Round, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Beside the looking, which it would hold up. A part that a merge has replaced since has no rows: they are not counted, and the report says how many were.
    private async Task ReadAsync()
    {
        await foreach (var (table, part, seen) in _parts.Reader.ReadAllAsync())
        {
            var rows = await _engine.QueryAsync(
                $"SELECT intDiv(toUnixTimestamp64Micro(time), 1000) AS ms, count() FROM {table} WHERE _part = '{part}' AND startsWith(agent_id, '{_prefix}-') GROUP BY ms", CancellationToken.None);
            foreach (var row in rows)
            {
                var due = (long.Parse(row[0], CultureInfo.InvariantCulture) * 1000) + _shift;
                Latency.Record(seen - due, long.Parse(row[1], CultureInfo.InvariantCulture));
            }
        }
    }
}
