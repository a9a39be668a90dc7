using System.Diagnostics;
using Streams.Agent.Modules.Observability;
using Streams.Agent.Modules.Telemetry;
using Streams.Agent.Processes;

namespace Streams.Agent.Tests.Procfs;

public sealed class LiveHostTests
{
    [Fact]
    public void Every_family_is_read_from_this_host()
    {
        using var sampler = new HostSampler();
        var sink = new CollectingSink();
        sampler.Sample(sink);
        foreach (var name in new[] { "load.1m", "cpu.user", "cpu.idle", "memory.total", "memory.available", "swap.total", "files.open", "uptime", "sockets.tcp", "processes.created" })
            Assert.Contains((name, ""), sink.Samples.Keys);
        Assert.Equal(Environment.ProcessorCount, sink["cpu.count"]);
        Assert.Contains(("net.received_bytes", "lo"), sink.Samples.Keys);
        Assert.True(sink["memory.available"] <= sink["memory.total"]);
        if (File.Exists("/proc/pressure/cpu"))
            Assert.Contains(("pressure.some_time", "cpu"), sink.Samples.Keys);
    }

    [Fact]
    public void Sampling_allocates_nothing_after_the_first_time()
    {
        using var sampler = new HostSampler();
        var sink = new CountingSink();
        sampler.Sample(sink);
        sampler.Sample(sink);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
            sampler.Sample(sink);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(sink.Count > 100);
    }

    [Fact]
    public void Thread_time_goes_to_the_module_that_registered_the_thread()
    {
        var registry = new ThreadRegistry();
        var costs = new ModuleCosts(registry);
        using var done = new ManualResetEventSlim();
        using var worked = new ManualResetEventSlim();
        var thread = ModuleThread.Start("telemetry", "worker", registry, () =>
        {
            // By its own time on a CPU: on a busy machine a wall clock says nothing about that.
            var clock = Stopwatch.StartNew();
            while (OnCpuNanoseconds() < 60_000_000 && clock.Elapsed < TimeSpan.FromSeconds(10))
            {
                Thread.SpinWait(10_000);
            }

            worked.Set();
            done.Wait();
        }, Assert.Fail);
        worked.Wait();
        costs.Sample();
        done.Set();
        thread.Join();
        Assert.InRange(costs.CpuMicroseconds("telemetry"), 20_000UL, 1_000_000UL);
        costs.Sample();
        Assert.InRange(costs.CpuMicroseconds("telemetry"), 20_000UL, 1_000_000UL);
    }

    private static long OnCpuNanoseconds() =>
        long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public void The_process_is_resident_and_its_peak_is_not_below_that()
    {
        var now = AgentProcess.ResidentBytes();
        Assert.True(now > 1_000_000);
        Assert.True(AgentProcess.PeakResidentBytes() > 1_000_000);
    }

    [Fact]
    public void A_cgroup_is_named_by_id_folder_or_path()
    {
        var mount = LibbpfSharp.CgroupFileSystem.FindMount();
        Assert.Equal(42UL, CgroupReference.Resolve("42", mount));
        Assert.Null(CgroupReference.Resolve("/there/is/none", mount));
        if (mount is not null)
            Assert.Equal(CgroupReference.Resolve(mount, mount), CgroupReference.Resolve("/", mount));
    }

    private sealed class CountingSink : IMetricSink
    {
        public int Count { get; private set; }

        public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> device, double value, ReadOnlySpan<byte> unit) => Count++;
    }
}
