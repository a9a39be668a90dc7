using Microsoft.Extensions.Logging.Abstractions;
using Streams.Testing;
using Streams.Worker.Commit;
using Streams.Worker.Decode;
using Streams.Worker.Merge;
using Streams.Worker.Ranges;
using Streams.Worker.Tests.Fakes;

namespace Streams.Worker.Tests.Commit;

public sealed class InserterTests : IAsyncLifetime
{
    private readonly BreakableStore _store = new();
    private readonly BatchPool _pool = new();
    private readonly WorkerMetrics _metrics = new();
    private readonly LingerClock _clock = new(TimeProvider.System, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));
    private readonly List<BatchRange> _ranges = [];
    private Inserter _inserter;
    private int _partitions = 2;

    public InserterTests() => _inserter = Make(new InserterLimits { Gather = TimeSpan.FromMilliseconds(200) });

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _inserter.DisposeAsync();
        _ranges.ForEach(range => range.Dispose());
        Assert.Equal(0, _pool.Outstanding);
        _metrics.Dispose();
    }

    [Fact]
    public async Task Ranges_of_all_partitions_go_into_one_block_per_table_and_the_ledger_comes_last()
    {
        var one = _inserter.CommitAsync(Range(0, 1, 2), Fence(0));
        var two = _inserter.CommitAsync(Range(1, 3), Fence(1));
        await Task.WhenAll(one, two).WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(["insert process_exec 1,2,3", "insert loss_ledger 1,2,3"], _store.Statements);
    }

    [Fact]
    public async Task Ledger_rows_of_a_partition_enter_in_the_order_of_its_ranges()
    {
        _partitions = 1;
        var first = new TaskCompletionSource();
        var inserts = 0;
        _store.OnInsert = target => target.Class is not null && Interlocked.Increment(ref inserts) == 1 ? first.Task : Task.CompletedTask;
        var fence = Fence(0);
        var one = _inserter.CommitAsync(Range(0, 1), fence);
        await Eventually.TrueAsync(() => Volatile.Read(ref inserts) == 1, "the first range is being inserted");
        var two = _inserter.CommitAsync(Range(0, 2), fence);
        await Eventually.TrueAsync(() => _store.Count("process_exec") == 1, "the second range's rows are stored while the first waits");
        Assert.Equal(0, _store.Count("loss_ledger"));
        Assert.False(two.IsCompleted);
        first.SetResult();
        await Task.WhenAll(one, two).WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(["insert loss_ledger 1", "insert loss_ledger 2"], _store.Statements.Where(s => s.Contains("ledger")));
    }

    [Fact]
    public async Task A_round_that_breaks_between_two_others_does_not_turn_their_ledger_rows_round()
    {
        _partitions = 1;
        var first = new TaskCompletionSource();
        var inserts = 0;
        _store.OnInsert = target => (target.Class is null ? 0 : Interlocked.Increment(ref inserts)) switch
        {
            1 => first.Task,
            2 => Task.FromException(new InvalidOperationException("a fault of the program")),
            _ => Task.CompletedTask,
        };
        var fence = Fence(0);
        var one = _inserter.CommitAsync(Range(0, 1), fence);
        await Eventually.TrueAsync(() => Volatile.Read(ref inserts) == 1, "the first range is being inserted");
        var broken = _inserter.CommitAsync(Range(1, 5), Fence(1));
        await Eventually.TrueAsync(() => Volatile.Read(ref inserts) == 2, "another partition's round broke");
        var two = _inserter.CommitAsync(Range(0, 2), fence);
        await Task.WhenAny(two, Task.Delay(300));
        first.SetResult();
        await Task.WhenAll(one, two).WaitAsync(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<CommitFault>(() => broken.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal(["insert loss_ledger 1", "insert loss_ledger 2"], _store.Statements.Where(s => s.Contains("ledger")));
    }

    [Fact]
    public async Task After_a_range_failed_no_later_range_of_that_partition_is_committed_but_others_are()
    {
        var lost = Fence(0);
        var first = _inserter.CommitAsync(Range(0, 1), lost);
        var other = _inserter.CommitAsync(Range(1, 5), Fence(1));
        _store.OnInsert = target =>
        {
            if (target.Class is null)
            {
                lost.Fail("gone");
            }

            return Task.CompletedTask;
        };
        await other.WaitAsync(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<CommitFault>(() => first);
        await Assert.ThrowsAsync<CommitFault>(() => _inserter.CommitAsync(Range(0, 2), lost).WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.DoesNotContain(_store.Statements, s => s == "insert process_exec 2");
    }

    [Fact]
    public async Task Ledger_rows_of_several_days_enter_one_day_after_the_other()
    {
        var fence = Fence(0);
        var days = new List<int>();
        _partitions = 5;
        _store.OnInsert = target =>
        {
            lock (days)
            {
                if (target.Class is null)
                {
                    days.Add(target.Day);
                }
            }

            return Task.Delay(target is { Class: null, Day: 1 } ? 100 : 0);
        };
        Task[] commits =
        [
            _inserter.CommitAsync(Range(0, 1), fence),
            _inserter.CommitAsync(Range(0, [2], day: 2), fence),
            _inserter.CommitAsync(Range(1, [7], day: 2), Fence(1)),
            _inserter.CommitAsync(Range(0, 3), fence), // another gateway's clock is behind
        ];
        await Task.WhenAll(commits).WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal([1, 2, 1], days);
        Assert.Equal(
            ["insert loss_ledger 1", "insert loss_ledger 2,7", "insert loss_ledger 3"], _store.Statements.Where(s => s.Contains("ledger")));
    }

    [Fact]
    public async Task When_the_ledger_rows_of_a_day_fail_those_of_the_next_are_not_written()
    {
        var fence = Fence(0);
        _partitions = 5;
        _store.OnInsert = target =>
        {
            if (target is { Class: null, Day: 1 })
            {
                fence.Fail("gone");
                _store.Next(Fault.LostBefore);
            }

            return Task.CompletedTask;
        };
        Task[] commits = [_inserter.CommitAsync(Range(0, 1), fence), _inserter.CommitAsync(Range(0, [2], day: 2), fence)];
        await Assert.ThrowsAsync<CommitFault>(() => Task.WhenAll(commits).WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal(0, _store.Count("loss_ledger"));
        Assert.DoesNotContain("insert loss_ledger 2", _store.Statements);
    }

    [Fact]
    public async Task A_round_is_bounded_by_rows()
    {
        await _inserter.DisposeAsync();
        _inserter = Make(new InserterLimits { MaxRows = 20, Gather = TimeSpan.FromMilliseconds(200) });
        _partitions = 4;
        var all = Enumerable.Range(0, 4).Select(p => _inserter.CommitAsync(Range(p, (uint)p), Fence(p))).ToArray();
        await Task.WhenAll(all).WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(2, _store.Statements.Count(s => s.StartsWith("insert process_exec", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Rows_that_are_stored_already_get_only_their_ledger_rows()
    {
        _partitions = 1;
        var range = Range(0, 1, 2);
        range.Batches[0].Stored = true;
        await _inserter.CommitAsync(range, Fence(0)).WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(["insert process_exec 2", "insert loss_ledger 1,2"], _store.Statements);
    }

    [Fact]
    public async Task Stopping_faults_what_waits_and_what_is_in_flight()
    {
        var started = new TaskCompletionSource();
        _store.OnInsert = async _ =>
        {
            started.TrySetResult();
            await Task.Delay(200);
        };
        var commit = _inserter.CommitAsync(Range(0, 1), Fence(0));
        await started.Task.WaitAsync(TimeSpan.FromSeconds(5));
        await _inserter.DisposeAsync();
        await Assert.ThrowsAsync<CommitFault>(() => commit);
        await Assert.ThrowsAsync<CommitFault>(() => _inserter.CommitAsync(Range(0, 2), Fence(0)));
        _inserter = Make(new InserterLimits());
    }

    [Fact]
    public async Task Stopping_while_the_store_does_not_answer_returns_every_batch()
    {
        // One round is in flight, one waits for its place, one lies in the queue.
        await _inserter.DisposeAsync();
        _inserter = Make(new InserterLimits { Rounds = 1 });
        _partitions = 1;
        var answer = new TaskCompletionSource();
        _store.OnInsert = _ => answer.Task;
        var commits = new List<Task>();
        for (uint n = 1; n <= 3; n++)
        {
            commits.Add(CommitAndReturnAsync(Range(0, n)));
            await Task.Delay(50);
        }

        // What is in flight takes a moment to notice: the waiting round must not live on its place becoming free.
        var stop = _inserter.DisposeAsync().AsTask();
        await Task.Delay(100);
        answer.SetResult();
        await stop.WaitAsync(TimeSpan.FromSeconds(5));
        foreach (var commit in commits)
        {
            await Assert.ThrowsAsync<CommitFault>(() => commit.WaitAsync(TimeSpan.FromSeconds(5)));
        }

        Assert.Equal(0, _pool.Outstanding);
    }

    private async Task CommitAndReturnAsync(BatchRange range)
    {
        using (range)
        {
            await _inserter.CommitAsync(range, Fence(0));
        }
    }

    private Inserter Make(InserterLimits limits) => new(
        new BlockInsert(
            _store,
            new AbandonedInserts(),
            new DeadLetterQuota(TimeProvider.System, 2),
            new RecordedAlerts(),
            TimeProvider.System,
            _metrics,
            NullLogger.Instance),
        limits,
        _clock,
        16,
        () => _partitions,
        _metrics,
        NullLogger.Instance);

    private static PartitionFence Fence(int partition) => new(partition, () => true);

    private BatchRange Range(int partition, params uint[] numbers) => Range(partition, numbers, day: 1);

    private BatchRange Range(int partition, uint[] numbers, int day)
    {
        var batches = numbers.Select(n => Batches.Staged(_pool, n, lane: (uint)partition)).ToList();
        var range = new BatchRange(partition, CloseReason.Linger, batches)
        {
            Rows = 10 * numbers.Length,
            Bytes = 1000,
            Day = day,
            LastSequence = numbers[^1],
        };
        _ranges.Add(range);
        return range;
    }
}
