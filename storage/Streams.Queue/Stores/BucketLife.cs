namespace Streams.Queue.Stores;

/// <summary>
/// Sees that a bucket was made anew. The client's watch (3.3.2) does not: its consumer asks on from the old bucket's last sequence, which
/// the new one reaches much later or never, so it would be deaf without a word.
/// </summary>
internal sealed class BucketLife : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly QueueConnection _connection;
    private readonly string _stream;
    private readonly DateTimeOffset _created;
    private readonly CancellationTokenSource _ended;

    private BucketLife(QueueConnection connection, string stream, DateTimeOffset created, CancellationToken cancel)
    {
        _connection = connection;
        _stream = stream;
        _created = created;
        _ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Ended = _ended.Token;
        _ = LookAsync();
    }

    /// <summary>Cancelled when the bucket is another, or by the caller.</summary>
    public CancellationToken Ended { get; }

    /// <param name="since">When the bucket that is meant was created; null: the one that is there.</param>
    /// <exception cref="QueueException">There is no such bucket.</exception>
    public static async Task<BucketLife> StartAsync(QueueConnection connection, string bucket, DateTimeOffset? since, CancellationToken cancel)
    {
        var stream = "KV_" + bucket;
        return await CreatedAsync(connection, stream, cancel).ConfigureAwait(false) is { } created
            ? new BucketLife(connection, stream, since ?? created, cancel)
            : throw new QueueException($"The bucket {bucket} does not exist. Start a worker: it makes the buckets.");
    }

    public void Dispose()
    {
        _ended.Cancel();
        _ended.Dispose();
    }

    private async Task LookAsync()
    {
        while (!Ended.IsCancellationRequested)
        {
            await Task.Delay(Interval, Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                if (_connection.IsConnected && await CreatedAsync(_connection, _stream, Ended).ConfigureAwait(false) != _created)
                {
                    await _ended.CancelAsync().ConfigureAwait(false);
                }
            }
            catch (Exception) when (!Ended.IsCancellationRequested)
            {
                // The server is away or busy: it is asked again.
                QueueMetrics.Shared.Error("watch");
            }
            catch (Exception)
            {
                // Disposed meanwhile.
                return;
            }
        }
    }

    private static async Task<DateTimeOffset?> CreatedAsync(QueueConnection connection, string stream, CancellationToken cancel) =>
        (await Topology.FindAsync(connection, stream, cancel).ConfigureAwait(false))?.Created;
}
