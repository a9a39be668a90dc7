using LibbpfSharp.Handles;
using LibbpfSharp.Maps;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

public sealed class InstanceTests(BpfFsFixture bpffs) : KernelTest
{
    [Fact]
    public void Maps_are_pinned_with_a_random_epoch_and_gone_after_dispose()
    {
        string pins;
        byte[] epoch;
        using (var instance = SensorInstance.Start(Options("a")))
        {
            pins = instance.PinPath;
            epoch = instance.Epoch.ToArray();
            string[] maps = ["control", "events", "excluded", "instance", "owners", "positions", "slots"];
            Assert.Equal(maps, Directory.GetFiles(pins).Select(Path.GetFileName).Order());
            using var map = BpfMap.OpenPinned(Path.Combine(pins, "instance"));
            var identity = new ArrayMap<InstanceIdentity>(map)[0];
            Assert.Equal(epoch, ((ReadOnlySpan<byte>)identity.Epoch).ToArray());
            Assert.Equal(2u, identity.Layout);
            Assert.Equal((uint)BpfMap.PossibleCpus, identity.Cpus);
            Assert.Null(instance.RemovedEpoch);
        }
        Assert.False(Directory.Exists(pins));
        using var next = SensorInstance.Start(Options("a"));
        Assert.NotEqual(epoch, next.Epoch.ToArray());
    }

    [Fact]
    public void What_a_dead_agent_left_is_removed_and_named()
    {
        // A dead agent is pins without a lock.
        var directory = Path.Combine(bpffs.Path, "streams", "b");
        Directory.CreateDirectory(directory);
        using (var map = BpfMap.Create(BpfMapType.Array, "instance", 4, 40, 1))
        {
            var identity = default(InstanceIdentity);
            ((Span<byte>)identity.Epoch).Fill(0xab);
            new ArrayMap<InstanceIdentity>(map)[0] = identity;
            map.Pin(Path.Combine(directory, "instance"));
        }
        using (var map = BpfMap.Create(BpfMapType.Array, "other", 4, 4, 1))
        {
            map.Pin(Path.Combine(directory, "events"));
        }
        using var instance = SensorInstance.Start(Options("b"));
        Assert.Equal(string.Concat(Enumerable.Repeat("ab", 16)), instance.RemovedEpoch);
        Assert.Equal(7, Directory.GetFiles(directory).Length);
    }

    [Fact]
    public void A_living_agent_is_not_disturbed()
    {
        using var instance = SensorInstance.Start(Options("c"));
        var error = Assert.Throws<SensorException>(() => SensorInstance.Start(Options("c")));
        Assert.Contains("\"c\"", error.Message);
        Assert.Equal(7, Directory.GetFiles(instance.PinPath).Length);
        using var other = SensorInstance.Start(Options("d"));
    }

    [Fact]
    public void A_ring_the_kernel_refuses_leaves_nothing_behind()
    {
        var error = Assert.Throws<BpfException>(() => SensorInstance.Start(Options("e") with { RingBytes = 0 }));
        Assert.Contains("process", error.Message);
        Assert.False(Directory.Exists(Path.Combine(bpffs.Path, "streams", "e")));
    }

    [Fact]
    public void Missed_runs_are_readable_per_program()
    {
        using var instance = SensorInstance.Start(Options("f"));
        Assert.Equal(["on_exec", "on_exit", "on_state"], instance.ReadMissed().Select(missed => missed.Program));
    }

    private SensorOptions Options(string name) => new() { Name = name, BpfFileSystem = bpffs.Path, RingBytes = 65536 };
}
