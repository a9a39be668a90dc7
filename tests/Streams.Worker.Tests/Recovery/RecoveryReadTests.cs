using Streams.Queue;
using Streams.Storage;
using Streams.Worker.Recovery;
using Streams.Worker.Tests.Fakes;

namespace Streams.Worker.Tests.Recovery;

public sealed class RecoveryReadTests
{
    private const int Partitions = 2;
    private const long Day = 86_400_000_000;

    [Fact]
    public void Without_a_ledger_everything_is_searched() =>
        Assert.Equal(0, ReadBackBound.Since([], Partitions, DateTimeOffset.UtcNow));

    [Fact]
    public void The_partition_that_is_furthest_behind_and_the_oldest_message_say_how_far_back()
    {
        CommittedLane[] lanes = [Lane(0, 50), Lane(0, 90), Lane(1, 70), Lane(1, 20)];
        Assert.Equal(67 * Day, ReadBackBound.Since(lanes, Partitions, null));
        Assert.Equal(67 * Day, ReadBackBound.Since(lanes, Partitions, DateTimeOffset.UnixEpoch.AddDays(80)));
        Assert.Equal(57 * Day, ReadBackBound.Since(lanes, Partitions, DateTimeOffset.UnixEpoch.AddDays(60)));
        Assert.Equal(87 * Day, ReadBackBound.Since(lanes[..2], Partitions, null));
    }

    [Fact]
    public async Task Who_asks_together_shares_a_read_and_who_asks_during_one_gets_the_next()
    {
        var reads = 0;
        var first = new TaskCompletionSource();
        var read = new SharedRead<int>(
            async () =>
            {
                var number = Interlocked.Increment(ref reads);
                await (number == 1 ? first.Task : Task.CompletedTask);
                return number;
            },
            TimeSpan.FromMilliseconds(50));
        var one = read.JoinAsync(default);
        var two = read.JoinAsync(default);
        await Testing.Eventually.TrueAsync(() => Volatile.Read(ref reads) == 1, "the first read runs");
        var three = read.JoinAsync(default);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.JoinAsync(patience.Token));
        Assert.False(three.IsCompleted);
        first.SetResult();
        var numbers = await Task.WhenAll(one, two, three).WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal([1, 1, 2], numbers);
    }

    [Fact]
    public async Task A_read_that_failed_does_not_fail_the_next()
    {
        var reads = 0;
        var read = new SharedRead<int>(
            () => Interlocked.Increment(ref reads) == 1 ? Task.FromException<int>(new IOException("away")) : Task.FromResult(2),
            TimeSpan.Zero);
        await Assert.ThrowsAsync<IOException>(() => read.JoinAsync(default));
        Assert.Equal(2, await read.JoinAsync(default).WaitAsync(TimeSpan.FromSeconds(5)));
    }

    private static CommittedLane Lane(int partition, long day)
    {
        var agent = Enumerable.Range(0, 100)
            .Select(static i => $"agent-{i}")
            .First(id => Subjects.PartitionOf(id, Partitions) == partition);
        return new CommittedLane(agent, Batches.EpochOf((ulong)day), 1, 1, day * Day);
    }
}
