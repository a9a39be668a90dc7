using Streams.Agent.Modules.Telemetry.Procfs;

namespace Streams.Agent.Tests.Procfs;

/// <summary>Parsers on text captured from Debian 12 (kernel 6.1) and this kernel.</summary>
public sealed class CapturedTextTests
{
    private readonly CollectingSink _sink = new();

    [Fact]
    public void Load_average()
    {
        LoadAverage.Read("0.20 1.18 12.05 3/801 11206\n"u8, _sink);
        Assert.Equal((0.20, 1.18, 12.05), (_sink["load.1m"], _sink["load.5m"], _sink["load.15m"]));
        Assert.Equal((3, 801), (_sink["threads.runnable"], _sink["threads.total"]));
    }

    [Fact]
    public void Cpu_times_by_state_and_the_busy_share_between_two_readings()
    {
        var cpu = new CpuTimes();
        cpu.Read("""
            cpu  1000 20 300 4000 50 6 70 8 0 0
            cpu0 500 10 150 2000 25 3 35 4 0 0
            cpu1 500 10 150 2000 25 3 35 4 0 0
            intr 33622 0 9 0
            ctxt 112233
            btime 1700000000
            processes 4567
            procs_running 2
            procs_blocked 1
            softirq 1 2 3
            """u8, _sink);
        Assert.Equal((10.0, 0.2, 3.0, 40.0), (_sink["cpu.user"], _sink["cpu.nice"], _sink["cpu.system"], _sink["cpu.idle"]));
        Assert.Equal((0.5, 0.06, 0.7, 0.08), (_sink["cpu.iowait"], _sink["cpu.irq"], _sink["cpu.softirq"], _sink["cpu.steal"]));
        Assert.Equal((2, 112233, 33622), (_sink["cpu.count"], _sink["context_switches"], _sink["interrupts"]));
        Assert.Equal((4567, 2, 1), (_sink["processes.created"], _sink["processes.running"], _sink["processes.blocked"]));
        Assert.DoesNotContain(("cpu.busy", ""), _sink.Samples.Keys);

        var later = new CollectingSink();
        cpu.Read("cpu  1060 20 300 4040 50 6 70 8 0 0\n"u8, later);
        Assert.Equal(60, later["cpu.busy"], 6);
    }

    [Fact]
    public void Memory_in_bytes()
    {
        MemoryInfo.Read("MemTotal:       24683536 kB\nMemFree:         100 kB\nMemAvailable:   200 kB\nHugePages_Total:       0\nSwapTotal:  4 kB\nSwapFree: 0 kB\n"u8, _sink);
        Assert.Equal(24683536.0 * 1024, _sink["memory.total"]);
        Assert.Equal((4096, 0), (_sink["swap.total"], _sink["swap.free"]));
        Assert.Equal(5, _sink.Samples.Count);
    }

    [Fact]
    public void Disks_without_partitions_and_unused_devices()
    {
        new DiskStatistics(static name => name != "vda1").Read("""
               7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
             254       0 vda 100 5 2048 1500 200 6 4096 2500 3 700 4000 0 0 0 0 10 5
             254       1 vda1 90 5 2000 1400 190 6 4000 2400 0 600 3900 0 0 0 0 0 0
             259       0 nvme0n1 1 2 3
            """u8, _sink);
        Assert.Equal((100, 2048 * 512.0, 1.5), (_sink["disk.reads", "vda"], _sink["disk.read_bytes", "vda"], _sink["disk.read_time", "vda"]));
        Assert.Equal((200, 4096 * 512.0, 2.5), (_sink["disk.writes", "vda"], _sink["disk.written_bytes", "vda"], _sink["disk.write_time", "vda"]));
        Assert.Equal((3, 0.7), (_sink["disk.in_flight", "vda"], _sink["disk.busy_time", "vda"]));
        Assert.All(_sink.Samples.Keys, key => Assert.Equal("vda", key.Device));
    }

    [Fact]
    public void Network_interfaces_also_when_a_number_touches_the_colon()
    {
        var state = Path.GetTempFileName();
        try
        {
            File.WriteAllText(state, "up\n");
            using var devices = new NetworkDevices(name => new ProcFile(name == "eth0" ? state : "/nonexistent/operstate", new ProcBuffer()));
            devices.Read("""
                Inter-|   Receive                                                |  Transmit
                 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                    lo:  1000      10    0    0    0     0          0         0     1000      10    0    0    0     0       0          0
                  eth0:123456789 20    1    2    0     0          0         0     3000      30    4    5    0     0       0          0
                eth0:1: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
                """u8, _sink);
        }
        finally
        {
            File.Delete(state);
        }

        Assert.Equal((123456789, 20, 1, 2), (_sink["net.received_bytes", "eth0"], _sink["net.received_packets", "eth0"], _sink["net.received_errors", "eth0"], _sink["net.received_drops", "eth0"]));
        Assert.Equal((3000, 30, 4, 5), (_sink["net.sent_bytes", "eth0"], _sink["net.sent_packets", "eth0"], _sink["net.sent_errors", "eth0"], _sink["net.sent_drops", "eth0"]));
        Assert.Equal((1, 7), (_sink["net.up", "eth0"], _sink["net.received_bytes", "eth0:1"]));
        Assert.DoesNotContain(("net.up", "lo"), _sink.Samples.Keys);
    }

    [Fact]
    public void Pressure_of_a_resource()
    {
        Pressure.Read("some avg10=1.25 avg60=0.50 avg300=0.10 total=2000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n"u8, "io"u8, _sink);
        Assert.Equal((1.25, 2.0), (_sink["pressure.some_10s", "io"], _sink["pressure.some_time", "io"]));
        Assert.Equal((0, 0.5), (_sink["pressure.full_10s", "io"], _sink["pressure.full_time", "io"]));
    }

    [Fact]
    public void Files_uptime_and_sockets()
    {
        HostCounters.ReadFileHandles("1184\t0\t9223372036854775807\n"u8, _sink);
        HostCounters.ReadUptime("3600.12 7100.50\n"u8, _sink);
        HostCounters.ReadSockets("sockets: used 12\nTCP: inuse 5 orphan 0 tw 2 alloc 8 mem 1\nUDP: inuse 3 mem 0\nUDPLITE: inuse 0\n"u8, _sink);
        Assert.Equal((1184, 3600.12, 5, 2, 3), (_sink["files.open"], _sink["uptime"], _sink["sockets.tcp"], _sink["sockets.tcp_time_wait"], _sink["sockets.udp"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("1.5 x y z/w\n")]
    [InlineData("cpu  a b c\nintr\n: :\n")]
    [InlineData("some avg10= total=x\nfull\nMemTotal: kB\nTCP: inuse\n")]
    public void Text_that_is_not_as_expected_gives_no_sample(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        LoadAverage.Read(bytes, _sink);
        new CpuTimes().Read(bytes, _sink);
        MemoryInfo.Read(bytes, _sink);
        new DiskStatistics(static _ => true).Read(bytes, _sink);
        using var devices = new NetworkDevices(static _ => new ProcFile("/nonexistent", new ProcBuffer()));
        devices.Read(bytes, _sink);
        Pressure.Read(bytes, "cpu"u8, _sink);
        HostCounters.ReadFileHandles(bytes, _sink);
        HostCounters.ReadSockets(bytes, _sink);
        Assert.Empty(_sink.Samples);
    }
}
