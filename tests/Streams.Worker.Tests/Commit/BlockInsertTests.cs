using Microsoft.Extensions.Logging.Abstractions;
using Streams.Storage;
using Streams.Worker.Commit;
using Streams.Worker.Decode;
using Streams.Worker.Tests.Fakes;

namespace Streams.Worker.Tests.Commit;

public sealed class BlockInsertTests : IDisposable
{
    private static readonly InsertTarget Table = new(Batches.Exec, 20_000);

    private readonly BreakableStore _store = new();
    private readonly AbandonedInserts _abandoned = new();
    private readonly BatchPool _pool = new();
    private readonly WorkerMetrics _metrics = new();
    private readonly RecordedAlerts _alerts = new();
    private readonly DeadLetterQuota _quota = new(TimeProvider.System, 2);
    private readonly PartitionFence _fence = new(0, () => true);
    private readonly List<PendingBatch> _batches = [];
    private readonly BlockInsert _insert;

    public BlockInsertTests()
    {
        _insert = Insert(_store, _abandoned);
        for (uint n = 0; n < 4; n++)
        {
            _batches.Add(new PendingBatch(Batches.Staged(_pool, n), _fence));
        }
    }

    public void Dispose()
    {
        _batches.ForEach(batch => batch.Batch.Dispose());
        Assert.Equal(0, _pool.Outstanding);
        _metrics.Dispose();
    }

    [Fact]
    public async Task A_clean_first_success_needs_no_reading_back()
    {
        Assert.Equal(1, await RunAsync());
        Assert.Equal(["insert process_exec 0,1,2,3"], _store.Statements);
    }

    [Theory]
    [InlineData(nameof(Fault.LostAfter))]
    [InlineData(nameof(Fault.Short))]
    public async Task An_insert_without_a_clean_success_is_found_by_reading_back_and_not_sent_again(string fault)
    {
        _store.Next(Enum.Parse<Fault>(fault));
        await RunAsync();
        Assert.Equal(["insert process_exec 0,1,2,3", "kill", "read"], _store.Statements);
        AssertStoredOnce();
    }

    [Fact]
    public async Task An_insert_that_never_arrived_is_sent_again_under_its_token_and_read_back()
    {
        _store.Next(Fault.LostBefore);
        await RunAsync();
        Assert.Equal(2, _store.Tokens.Count);
        Assert.Equal(_store.Tokens[0], _store.Tokens[1]);
        Assert.Equal("read", _store.Statements[^1]);
        AssertStoredOnce();
    }

    [Theory]
    [InlineData(nameof(Fault.TokenOnly))]
    [InlineData(nameof(Fault.Emptied))]
    public async Task A_token_without_rows_does_not_swallow_them(string fault)
    {
        _store.Next(Enum.Parse<Fault>(fault));
        await RunAsync();
        Assert.Equal(3, _store.Tokens.Count);
        Assert.Equal(_store.Tokens[0], _store.Tokens[1]);
        Assert.NotEqual(_store.Tokens[1], _store.Tokens[2]);
        AssertStoredOnce();
    }

    [Fact]
    public async Task While_reading_back_fails_nothing_is_sent()
    {
        _store.Next(Fault.LostAfter);
        _store.Unreadable(3);
        await RunAsync();
        Assert.Single(_store.Tokens);
        AssertStoredOnce();
    }

    [Fact]
    public async Task Every_mixture_of_faults_ends_with_each_batch_once()
    {
        var random = new Random(7);
        for (var round = 0; round < 10; round++)
        {
            var store = new BreakableStore();
            for (var i = 0; i < 4; i++)
            {
                store.Next((Fault)random.Next(4));
            }

            var insert = Insert(store, new AbandonedInserts());
            await insert.RunAsync(Table, _batches, default);
            Assert.Equal(4, store.Count("process_exec"));
            Assert.Equal(1, store.MostCopies());
        }
    }

    [Fact]
    public async Task A_block_that_is_too_large_is_halved()
    {
        _store.Next(Fault.TooLarge, Fault.TooLarge);
        await RunAsync();
        Assert.Contains("insert process_exec 0", _store.Statements);
        Assert.Contains("insert process_exec 2,3", _store.Statements);
        AssertStoredOnce();
    }

    [Fact]
    public async Task A_poison_batch_is_found_by_halving_and_given_up_after_two_attempts_alone()
    {
        _store.Poison.Add(2);
        await RunAsync();
        Assert.Equal(
            ["insert process_exec 0,1,2,3", "insert process_exec 0,1", "insert process_exec 2,3", "insert process_exec 2",
                "insert process_exec 2", "insert process_exec 3"],
            _store.Statements.Where(statement => statement.StartsWith("insert", StringComparison.Ordinal)));
        Assert.Equal(3, _store.Count("process_exec"));
        var batch = _batches[2].Batch;
        Assert.Equal(("insert", 469, 10u), (batch.Letter!.Cause, batch.Letter.Code, batch.Letter.Rows));
        Assert.Equal(batch.Received.ToArray(), batch.Letter.Bytes.ToArray());
        Assert.Equal(10ul, Assert.Single(batch.Account!.Lines).Lost[(int)Schema.LossCause.DeadLetter]);
        Assert.Equal("dead_letter", Assert.Single(_alerts.Raised).Kind);
        Assert.True(_fence.Holds());
    }

    [Fact]
    public async Task Beyond_the_agents_quota_nothing_is_given_up_and_the_partition_recovers()
    {
        _store.Poison.UnionWith([0, 1, 2, 3]);
        await RunAsync();
        Assert.Equal(2, _batches.Count(batch => batch.Batch.Letter is not null));
        Assert.Contains("enough dead letters", _fence.Failure);
        Assert.True(_quota.IsExhausted("agent-1"));
        Assert.False(_quota.IsExhausted("agent-2"));
    }

    [Fact]
    public async Task Memory_never_makes_a_dead_letter()
    {
        _store.Next([.. Enumerable.Repeat(Fault.TooLarge, 7)]);
        await RunAsync();
        Assert.All(_batches, batch => Assert.Null(batch.Batch.Letter));
        AssertStoredOnce();
    }

    [Fact]
    public async Task An_unknown_error_is_retried_and_after_five_minutes_somebody_is_told()
    {
        var time = new JumpingTime(TimeSpan.FromMinutes(2));
        _store.Next([.. Enumerable.Repeat(Fault.Strange, 5)]);
        var insert = new BlockInsert(_store, _abandoned, _quota, _alerts, time, _metrics, NullLogger.Instance);
        await insert.RunAsync(Table, _batches, default);
        AssertStoredOnce();
        Assert.All(_alerts.Raised, alert => Assert.Equal(("insert_failing", "process_exec"), (alert.Kind, alert.Subject)));
        Assert.Contains("7777", _alerts.Raised.First().Detail);
    }

    [Fact]
    public async Task An_error_that_needs_a_person_fails_the_partition_and_nothing_else_is_sent()
    {
        _store.Next(Fault.Denied);
        Assert.Equal(0, await RunAsync());
        Assert.Contains("516", _fence.Failure);
        Assert.Single(_store.Tokens);
    }

    [Fact]
    public async Task Batches_of_a_partition_without_its_lease_are_not_sent()
    {
        var held = true;
        var other = new PartitionFence(1, () => held);
        _batches[1] = _batches[1] with { Fence = other };
        held = false;
        await RunAsync();
        Assert.Equal(["insert process_exec 0,2,3"], _store.Statements);
        held = true;
        Assert.False(other.Holds());
    }

    [Fact]
    public async Task A_lease_lost_while_in_doubt_takes_its_batches_out_of_the_repeat()
    {
        var held = true;
        var other = new PartitionFence(1, () => held);
        _batches[1] = _batches[1] with { Fence = other };
        _store.Next(Fault.LostBefore);
        _store.OnInsert = _ =>
        {
            held = false;
            return Task.CompletedTask;
        };
        await RunAsync();
        Assert.Equal("insert process_exec 0,2,3", _store.Statements[^1]);
        Assert.Equal(3, _store.Count("process_exec"));
    }

    [Fact]
    public async Task An_insert_that_could_not_be_killed_before_its_fence_fell_is_left_for_recovery_to_kill()
    {
        _store.Next(Fault.LostBefore);
        _store.Unkillable = true;
        _store.OnInsert = _ =>
        {
            _fence.Fail("lease");
            return Task.CompletedTask;
        };
        await RunAsync();
        Assert.Equal([1], _abandoned.ToKill());
        Assert.DoesNotContain("read", _store.Statements);
    }

    [Fact]
    public async Task An_insert_that_ended_or_was_killed_is_not_left_for_recovery()
    {
        _store.Next(Fault.LostBefore, Fault.LostAfter);
        _store.Unreadable(2);
        await RunAsync();
        AssertStoredOnce();
        Assert.Equal(0, _abandoned.Count);
    }

    [Fact]
    public async Task A_token_that_an_earlier_life_left_without_rows_does_not_swallow_the_same_batches()
    {
        _store.Next(Fault.TokenOnly);
        var held = true;
        var old = new PartitionFence(0, () => held);
        _store.OnInsert = _ =>
        {
            held = false;
            return Task.CompletedTask;
        };
        await _insert.RunAsync(Table, [.. _batches.Select(batch => batch with { Fence = old })], default);
        Assert.Equal(0, _store.Count("process_exec"));

        // The next life forms the same block. Its first success is trusted, so the rows must be there.
        _store.OnInsert = null;
        Assert.Equal(1, await RunAsync());
        Assert.Equal(2, _store.Tokens.Distinct().Count());
        AssertStoredOnce();
    }

    [Fact]
    public void A_token_names_table_batches_lives_and_attempt_and_no_order()
    {
        var token = Token("process_exec", _batches, [1, 2], 0);
        Assert.Equal(64, token.Length);
        Assert.Equal(token, Token("process_exec", [.. _batches.AsEnumerable().Reverse()], [2, 1, 2], 0));
        Assert.NotEqual(token, Token("process_exec", _batches, [1, 2], 1));
        Assert.NotEqual(token, Token("process_exit", _batches, [1, 2], 0));
        Assert.NotEqual(token, Token("process_exec", _batches[1..], [1, 2], 0));
        Assert.NotEqual(token, Token("process_exec", _batches, [1, 3], 0));

        static string Token(string table, List<PendingBatch> batches, ulong[] lives, int attempt) =>
            InsertToken.Compute(table, BatchNames.Runs(batches), lives, attempt);
    }

    private BlockInsert Insert(IBatchStore store, AbandonedInserts abandoned) =>
        new(store, abandoned, _quota, _alerts, TimeProvider.System, _metrics, NullLogger.Instance);

    private Task<int> RunAsync() => _insert.RunAsync(Table, _batches, default);

    private void AssertStoredOnce()
    {
        Assert.Equal(4, _store.Count("process_exec"));
        Assert.Equal(1, _store.MostCopies());
    }
}
