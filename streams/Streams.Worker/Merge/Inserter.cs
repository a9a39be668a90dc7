using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Streams.Worker.Commit;
using Streams.Worker.Ranges;

namespace Streams.Worker.Merge;

/// <summary>
/// The one inserter of the process. It gathers the closed ranges of all partitions into rounds; a round's tables are inserted
/// concurrently, then, when the round before has finished, its ledger rows. So ledger rows of a partition enter in the order of its
/// ranges, and a batch is committed only after its rows.
/// </summary>
internal sealed class Inserter : IAsyncDisposable
{
    // Statements in flight at once; the engine has its own threads inside each.
    private const int Concurrency = 4;

    private readonly BlockInsert _insert;
    private readonly InserterLimits _limits;
    private readonly LingerClock _clock;
    private readonly WorkerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Func<int> _livePartitions;
    private readonly Channel<SubmittedRange> _queue;
    private readonly SemaphoreSlim _rounds;
    private readonly SemaphoreSlim _statements = new(Concurrency);
    private readonly CancellationTokenSource _abortSource = new();
    private readonly CancellationToken _abort;
    private readonly Task _loop;
    private Task _lastRound = Task.CompletedTask;
    private SubmittedRange? _left;

    // Taken from the queue and not yet a round of its own task: a stop must fail its ranges too, or their partitions wait for ever.
    private Round? _gathered;

    /// <param name="capacity">Ranges that may wait; partitions wait beyond it.</param>
    /// <param name="livePartitions">How many partitions send ranges now: a round does not wait for more.</param>
    public Inserter(
        BlockInsert insert,
        InserterLimits limits,
        LingerClock clock,
        int capacity,
        Func<int> livePartitions,
        WorkerMetrics metrics,
        ILogger logger)
    {
        _insert = insert;
        _limits = limits;
        _clock = clock;
        _metrics = metrics;
        _logger = logger;
        _livePartitions = livePartitions;
        _rounds = new SemaphoreSlim(limits.Rounds);
        _abort = _abortSource.Token;
        _queue = Channel.CreateBounded<SubmittedRange>(
            new BoundedChannelOptions(capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _loop = Task.Run(RunAsync);
    }

    /// <summary>
    /// Commits a range: returns when its ledger rows are in ClickHouse. The caller keeps the order of its partition by calling in that
    /// order; the range may be disposed when the task has ended.
    /// </summary>
    /// <exception cref="CommitFault">Not committed; the partition must recover.</exception>
    public async Task CommitAsync(BatchRange range, PartitionFence fence)
    {
        var submitted = new SubmittedRange(range, fence);
        try
        {
            await _queue.Writer.WriteAsync(submitted, _abort).ConfigureAwait(false);
        }
        catch (Exception error) when (error is ChannelClosedException or OperationCanceledException)
        {
            throw new CommitFault(range.Partition, "the inserter stopped");
        }

        await submitted.Completion.ConfigureAwait(false);
    }

    /// <summary>Stops at once: what is in flight is cancelled and left to recovery.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _abortSource.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        try
        {
            while (await NextRoundAsync().ConfigureAwait(false) is { } round)
            {
                await _rounds.WaitAsync(_abort).ConfigureAwait(false);
                _gathered = null;
                _lastRound = CommitRoundAsync(round, _lastRound);
            }
        }
        catch (OperationCanceledException) when (_abort.IsCancellationRequested)
        {
        }

        await _lastRound.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var gathered in _gathered?.Ranges ?? [])
        {
            gathered.Failed(new CommitFault(gathered.Range.Partition, "the inserter stopped"));
        }

        _left?.Failed(new CommitFault(_left.Range.Partition, "the inserter stopped"));
        while (_queue.Reader.TryRead(out var waiting))
        {
            waiting.Failed(new CommitFault(waiting.Range.Partition, "the inserter stopped"));
        }
    }

    private async Task<Round?> NextRoundAsync()
    {
        if (_left is null && !await _queue.Reader.WaitToReadAsync(_abort).ConfigureAwait(false))
        {
            return null;
        }

        var round = _gathered = new Round();
        var deadline = _clock.Time.GetTimestamp();
        while (TryTake(round))
        {
            if (round.Ranges.Count >= _livePartitions() || !await MoreSoonAsync(deadline).ConfigureAwait(false))
            {
                // Whatever else is here already costs no waiting.
                while (TryTake(round))
                {
                }

                break;
            }
        }

        return round;
    }

    private bool TryTake(Round round)
    {
        var next = _left;
        if (next is null && !_queue.Reader.TryRead(out next))
        {
            return false;
        }

        _left = null;
        var fits = round.Rows + next.Range.Rows <= _limits.MaxRows && round.Bytes + next.Range.Bytes <= _limits.MaxBytes;
        if (round.Ranges.Count != 0 && !fits)
        {
            _left = next;
            return false;
        }

        round.Add(next);
        return true;
    }

    private async Task<bool> MoreSoonAsync(long started)
    {
        var left = _limits.Gather - _clock.Time.GetElapsedTime(started);
        if (left <= TimeSpan.Zero)
        {
            return _queue.Reader.TryPeek(out _);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_abort);
        patience.CancelAfter(left);
        try
        {
            return await _queue.Reader.WaitToReadAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_abort.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task CommitRoundAsync(Round round, Task previous)
    {
        var started = _clock.Time.GetTimestamp();
        Exception? failure = null;
        try
        {
            var parts = await InsertAsync(round.Blocks()).ConfigureAwait(false);
            // Condemned batches are known now; their letters must be there before their ledger rows say so.
            parts += await InsertAsync(round.DeadLetterBlocks()).ConfigureAwait(false);
            await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var (target, batches) in round.LedgerBlocks())
            {
                // In order: one that fails takes the fence from those after it, and the ledger gets no hole.
                parts += await InsertOneAsync(target, batches).ConfigureAwait(false);
            }

            _clock.Observe(parts);
            _metrics.RoundCommitted(_clock.Time.GetElapsedTime(started));
        }
        catch (OperationCanceledException)
        {
            failure = new OperationCanceledException("the inserter stopped");
        }
        catch (Exception error)
        {
            // A fault of this program, not of the server: the partitions go through recovery, which trusts only what is stored.
            _logger.RoundFailed(error);
            failure = error;
        }

        // Also after a failure: the round after this one waits for this one only, and ledger rows enter in the order of the rounds.
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var range in round.Ranges)
        {
            if (failure is not null)
            {
                range.Fence.Fail(failure.Message);
            }

            if (range.Fence.Failure is { } reason)
            {
                range.Failed(new CommitFault(range.Range.Partition, reason));
            }
            else
            {
                range.Committed();
            }
        }

        _rounds.Release();
    }

    private async Task<int> InsertAsync(IReadOnlyDictionary<InsertTarget, List<PendingBatch>> blocks)
    {
        var tasks = blocks.Select(block => InsertOneAsync(block.Key, block.Value)).ToArray();
        var parts = await Task.WhenAll(tasks).ConfigureAwait(false);
        return parts.Sum();
    }

    private async Task<int> InsertOneAsync(InsertTarget target, List<PendingBatch> batches)
    {
        await _statements.WaitAsync(_abort).ConfigureAwait(false);
        try
        {
            return await _insert.RunAsync(target, batches, _abort).ConfigureAwait(false);
        }
        finally
        {
            _statements.Release();
        }
    }
}
