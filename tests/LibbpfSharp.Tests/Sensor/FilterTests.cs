using System.Net;
using System.Net.Sockets;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

public sealed class FilterTests() : SensorTest(attach: false)
{
    private readonly string _cgroup = Path.Combine(CgroupFileSystem.FindMount()!, $"sensor-test-{Environment.ProcessId}");

    [Fact]
    public void Network_events_of_excluded_cgroups_and_below_are_counted_and_not_stamped()
    {
        var inner = Path.Combine(_cgroup, "inner");
        Directory.CreateDirectory(inner);
        Instance.ExcludeCgroup(CgroupFileSystem.IdOf(_cgroup));
        Instance.Attach();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var filtered = Run("/bin/bash", "-c", $"echo $$ > {inner}/cgroup.procs; exec 3<>/dev/tcp/127.0.0.1/{port}");
        var seen = Run("/bin/bash", "-c", $"exec 3<>/dev/tcp/127.0.0.1/{port}");
        DrainUntil(() => Connects().Any(item => item.Endpoint.Pid == seen));
        var snapshot = Settle();

        Assert.DoesNotContain(Connects(), item => item.Endpoint.Pid == filtered);
        Assert.Equal(1ul, Filtered(RecordClass.NetworkConnect));
        // Exec and exit are not filtered, and carry the cgroup.
        Assert.Contains(Sink.Execs(), exec => exec.Fixed.Pid == filtered);
        var exit = Sink.Of<ProcessExitRecord>(RecordClass.ProcessExit).Single(item => item.Pid == filtered);
        Assert.Equal(CgroupFileSystem.IdOf(inner), exit.CgroupId);
        // The other end is this process, outside the cgroup: both connections were accepted.
        Assert.Equal(2, Sink.Of<NetworkAcceptRecord>(RecordClass.NetworkAccept).Count(item => item.Endpoint.LocalPort == port));

        ulong Filtered(ushort classId)
        {
            ulong sum = 0;
            for (var cpu = 0; cpu < snapshot.Cpus; cpu++)
            {
                sum += snapshot[classId, cpu].Filtered;
            }
            return sum;
        }
    }

    [Fact]
    public void What_is_included_again_is_seen()
    {
        Directory.CreateDirectory(_cgroup);
        var id = CgroupFileSystem.IdOf(_cgroup);
        Instance.ExcludeCgroup(id);
        Instance.ExcludeCgroup(id);
        Instance.IncludeCgroup(id);
        Instance.Attach();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var pid = Run("/bin/bash", "-c", $"echo $$ > {_cgroup}/cgroup.procs; exec 3<>/dev/tcp/127.0.0.1/{port}");
        DrainUntil(() => Connects().Any(item => item.Endpoint.Pid == pid));
    }

    [Fact]
    public void A_socket_older_than_the_sensor_has_its_owner()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var old = new TcpClient();
        old.Connect(IPAddress.Loopback, port);
        using var oldAccepted = listener.AcceptTcpClient();
        var oldPort = ((IPEndPoint)old.Client.LocalEndPoint!).Port;

        Instance.Attach();
        Run("/bin/bash", "-c", $"exec 3<>/dev/tcp/127.0.0.1/{port}");
        old.Close();
        DrainUntil(() => Accepts(port).Any() && Closes(oldPort).Any());

        var accept = Accepts(port).Single();
        Assert.Equal((uint)Environment.ProcessId, accept.Endpoint.Pid);
        Assert.Equal(RecordFlags.Seeded, accept.Header.Flags);
        var close = Closes(oldPort).First();
        Assert.Equal((uint)Environment.ProcessId, close.Endpoint.Pid);
        Assert.Equal(RecordFlags.Seeded | RecordFlags.StartUnknown, close.Header.Flags);
        Assert.Equal(0ul, close.DurationNs);
    }

    [Fact]
    public void Shed_classes_are_counted_and_numbered()
    {
        Instance.SetShedLevel(50); // everything below process_exec
        Instance.SetPolicyGeneration(77);
        Instance.Attach();
        var first = Run("/bin/true");
        DrainUntil(() => Sink.Execs().Any(exec => exec.Fixed.Pid == first));
        Assert.Equal(77ul, Sink.Execs().First(exec => exec.Fixed.Pid == first).Fixed.Header.PolicyGeneration);
        Thread.Sleep(20);
        Settle();
        Assert.DoesNotContain(Sink.Of<ProcessExitRecord>(RecordClass.ProcessExit), exit => exit.Pid == first);

        Instance.SetShedLevel(0);
        var second = Run("/bin/true");
        DrainUntil(() => Sink.Of<ProcessExitRecord>(RecordClass.ProcessExit).Any(exit => exit.Pid == second));
        Settle();
        Assert.Contains(Sink.Lost, lost => lost.Class == RecordClass.ProcessExit);
        Assert.All(Sink.Lost, lost => Assert.Equal(lost.Count, lost.Causes.Shed));
    }

    private protected override void Cleanup()
    {
        if (Directory.Exists(_cgroup))
        {
            foreach (var inner in Directory.GetDirectories(_cgroup))
            {
                Directory.Delete(inner);
            }
            Directory.Delete(_cgroup);
        }
    }

    private List<NetworkConnectRecord> Connects() => Sink.Of<NetworkConnectRecord>(RecordClass.NetworkConnect).ToList();

    private List<NetworkAcceptRecord> Accepts(int port) =>
        Sink.Of<NetworkAcceptRecord>(RecordClass.NetworkAccept).Where(item => item.Endpoint.LocalPort == port).ToList();

    private List<NetworkCloseRecord> Closes(int port) =>
        Sink.Of<NetworkCloseRecord>(RecordClass.NetworkClose).Where(item => item.Endpoint.LocalPort == port).ToList();
}
