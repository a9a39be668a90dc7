using Microsoft.Extensions.Logging;

namespace Streams.Queue;

/// <summary>
/// Makes streams and buckets again that vanish under living processes (a wiped or replaced store): at once when the connection comes back,
/// and looked for every few seconds. Only the worker's role may make them, so that every process with a worker keeps one; a gateway that
/// finds no stream or bucket holds what it has and waits.
/// </summary>
public sealed partial class TopologyKeeper : IAsyncDisposable
{
    private readonly QueueConnection _connection;
    private readonly TopologyOptions _options;
    private readonly TimeSpan _interval;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closed = new();
    private readonly SemaphoreSlim _opened = new(0, 1);
    private readonly Task _loop;

    private TopologyKeeper(QueueConnection connection, TopologyOptions options, TimeSpan interval)
    {
        _connection = connection;
        _options = options;
        _interval = interval;
        _logger = connection.Options.LoggerFactory.CreateLogger<TopologyKeeper>();
        connection.Opened += OnOpened;
        _loop = Task.Run(KeepAsync);
    }

    /// <summary>Starts; the topology was made by <see cref="Topology.CreateAsync"/> before.</summary>
    /// <param name="connection">Of the worker's role; not owned.</param>
    /// <param name="options">As at the making.</param>
    /// <param name="interval">Between looks; 5 s by default: P + 9 requests of a fifth of a millisecond each.</param>
    public static TopologyKeeper Start(QueueConnection connection, TopologyOptions options, TimeSpan? interval = null) =>
        new(connection, options, interval ?? TimeSpan.FromSeconds(5));

    public async ValueTask DisposeAsync()
    {
        _connection.Opened -= OnOpened;
        await _closed.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _opened.Dispose();
        _closed.Dispose();
    }

    private void OnOpened()
    {
        try
        {
            _opened.Release();
        }
        catch (SemaphoreFullException)
        {
            // It will look anyway.
        }
    }

    private async Task KeepAsync()
    {
        string? said = null;
        while (!_closed.IsCancellationRequested)
        {
            await _opened.WaitAsync(_interval, _closed.Token).ConfigureAwait(false);
            if (!_connection.IsConnected)
            {
                continue;
            }

            try
            {
                await Topology.CreateAsync(_connection, _options, _closed.Token).ConfigureAwait(false);
                said = null;
            }
            catch (Exception error) when (!_closed.IsCancellationRequested)
            {
                // Whatever it was, it is tried again: without streams everything waits.
                QueueMetrics.Shared.Error("topology");
                if (said != error.Message)
                {
                    LogFailed(error.Message);
                    said = error.Message;
                }
            }
        }
    }

    [LoggerMessage(4113, LogLevel.Error, "The queue's streams and buckets could not be looked after, trying again: {Reason}")]
    private partial void LogFailed(string reason);
}
