using Streams.Bench.Chaos.Faults;

namespace Streams.Bench.Tests;

public sealed class ChaosScheduleTests
{
    private const int Kinds = 23;

    [Fact]
    public void The_same_seed_gives_the_same_faults_and_another_gives_others()
    {
        var one = Schedule.Random(200, 7, 4, full: true, external: false, workerApart: true);
        Assert.Equal(one, Schedule.Random(200, 7, 4, full: true, external: false, workerApart: true));
        Assert.NotEqual(one, Schedule.Random(200, 8, 4, full: true, external: false, workerApart: true));
    }

    [Fact]
    public void Every_kind_comes_once_in_each_block_and_no_source_is_spared()
    {
        var faults = Schedule.Random(4 * Kinds, 1, 4, full: true, external: false, workerApart: true);
        foreach (var block in faults.Chunk(Kinds))
        {
            Assert.Equal(Kinds, block.Select(fault => fault.Kind).Distinct().Count());
        }

        Assert.Equal([0, 1, 2, 3], faults.Select(fault => fault.Target).Distinct().Order());
        Assert.All(faults, fault => Assert.InRange(fault.Duration.TotalSeconds, 0.2, 15));
    }

    [Fact]
    public void Nothing_is_done_to_servers_of_others() =>
        Assert.DoesNotContain(
            Schedule.Random(200, 1, 4, full: false, external: true, workerApart: false), fault => Schedule.IsOfServers(fault.Kind));
}
