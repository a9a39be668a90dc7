using System.Collections.Concurrent;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>
/// The running engine. One connection stays open for its whole life: closing the last one shuts the engine down, and a process that
/// exits with a connection open can end in a segmentation fault. It also carries KILL QUERY, so cancelling never waits for a slot.
/// </summary>
internal sealed class EngineHost : IDisposable
{
    /// <summary>Merges give way to statements on a busy machine, and still get a third of a share: starved, parts would pile up.</summary>
    private const string MergePriority = "--os_threads_nice_value_merge_mutate=5";

    private readonly string _pathArgument;
    private readonly ChdbConnection _keeper;
    private readonly Lock _keeperLock = new();
    private readonly ConcurrentStack<ChdbConnection> _fresh = new();
    private readonly SemaphoreSlim _slots;
    private readonly int _maxConnections;
    private volatile bool _stopping;

    private EngineHost(string pathArgument, ChdbConnection keeper, int maxConnections)
    {
        _pathArgument = pathArgument;
        _keeper = keeper;
        _maxConnections = maxConnections;
        _slots = new SemaphoreSlim(maxConnections, maxConnections);
        Version = keeper.Execute("SELECT version()").Text;
        Timezone = keeper.Execute("SELECT timezone()").Text;
    }

    public string Version { get; }

    public string Timezone { get; }

    /// <summary>Statements running or about to; at most the maximum of connections.</summary>
    public int Active => _maxConnections - _slots.CurrentCount;

    /// <param name="directory">Where the engine keeps its data; must exist.</param>
    /// <param name="maxMemory">Bytes the engine may use in all; 0 leaves ClickHouse's default (90 % of the machine).</param>
    /// <returns>Null when the engine refuses the directory.</returns>
    public static EngineHost? Start(string directory, long maxMemory, int maxConnections)
    {
        var path = $"--path={directory}";
        var handle = maxMemory > 0
            ? ChdbConnectionHandle.Open("clickhouse", path, MergePriority, $"--max_server_memory_usage={maxMemory}")
            : ChdbConnectionHandle.Open("clickhouse", path, MergePriority);
        return handle is null ? null : new EngineHost(path, new ChdbConnection(handle), maxConnections);
    }

    /// <summary>Waits for one of the bounded connections.</summary>
    /// <returns>Null when none became free within the limit.</returns>
    public async ValueTask<ChdbConnection?> RentAsync(TimeSpan limit, CancellationToken cancel)
    {
        if (_stopping || !await _slots.WaitAsync(limit, cancel).ConfigureAwait(false))
            return null;
        try
        {
            return _fresh.TryPop(out var connection) ? connection : Open();
        }
        catch
        {
            _slots.Release();
            throw;
        }
    }

    /// <summary>Closes the used connection and keeps a new one ready, after the answer has gone out.</summary>
    public void Return(ChdbConnection used)
    {
        used.Dispose();
        try
        {
            if (!_stopping)
                _fresh.Push(Open());
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>Asks the engine to end the statement that runs under this marker; true when there was one.</summary>
    public bool Kill(string marker)
    {
        lock (_keeperLock)
        {
            // The marker is ours (hexadecimal), so it needs no quoting.
            var result = _keeper.Execute($"KILL QUERY WHERE endsWith(Settings['log_comment'], '{marker}') ASYNC");
            return result.Error is null && result.Output.Length > 0;
        }
    }

    /// <summary>Call when no statement runs any more. The connections are closed before the keeper, the keeper last.</summary>
    public void Dispose()
    {
        _stopping = true;
        while (_fresh.TryPop(out var connection))
            connection.Dispose();
        lock (_keeperLock)
            _keeper.Dispose();
        _slots.Dispose();
    }

    private ChdbConnection Open() => new(
        ChdbConnectionHandle.Open("clickhouse", _pathArgument) ?? throw new InvalidOperationException("The engine refused another connection."));
}
