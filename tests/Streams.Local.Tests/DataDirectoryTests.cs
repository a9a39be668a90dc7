using System.Net;
using System.Net.Sockets;
using Streams.Testing;

namespace Streams.Local.Tests;

public sealed class DataDirectoryTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_second_opener_leaves_the_mode_that_the_first_one_gave()
    {
        const UnixFileMode Through = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute;
        var path = _directory.File("data");
        using (DataDirectory.Open(path))
        {
            File.SetUnixFileMode(path, Through);
            Assert.Throws<LocalException>(() => DataDirectory.Open(path));
            Assert.Equal(Through, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public void Second_opener_is_told_who_holds_it_and_the_lock_goes_with_the_first()
    {
        var path = _directory.File("data");
        using (var first = DataDirectory.Open(path))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(first.Path));
            var error = Assert.Throws<LocalException>(() => DataDirectory.Open(path));
            Assert.Contains($"in use by process {Environment.ProcessId}.", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }

        DataDirectory.Open(path).Dispose();
    }

    [Fact]
    public void A_file_in_the_way_is_one_line()
    {
        File.WriteAllText(_directory.File("file"), "");
        var error = Assert.Throws<LocalException>(() => DataDirectory.Open(_directory.File("file")));
        Assert.Contains("--data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Credentials_are_made_once_private_and_damage_is_named()
    {
        using var data = DataDirectory.Open(_directory.File("data"));
        var first = Credentials.Open(data.Keys);
        var again = Credentials.Open(data.Keys);
        foreach (var role in Enum.GetValues<NatsRole>())
        {
            Assert.Equal(first.NatsPublicKey(role), again.NatsPublicKey(role));
            Assert.StartsWith("SU", first.NatsSeed(role), StringComparison.Ordinal);
        }

        Assert.Equal(first.ClickHousePassword(), again.ClickHousePassword());
        Assert.All(Directory.GetFiles(data.Keys), file =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Equal(6, Directory.GetFiles(data.Keys).Length);

        File.SetUnixFileMode(first.ClickHousePasswordFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Assert.Contains("chmod 600", Assert.Throws<LocalException>(() => first.ClickHousePassword()).Message, StringComparison.Ordinal);
        File.WriteAllText(first.NatsSeedFile(NatsRole.Gateway), "nonsense");
        Assert.Contains("nats-gateway.nk", Assert.Throws<LocalException>(() => Credentials.Open(data.Keys)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Given_port_must_be_free_and_a_default_falls_back()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var taken = ((IPEndPoint)listener.LocalEndpoint).Port;
        var ports = new Ports();
        var error = Assert.Throws<LocalException>(() => ports.Resolve("NATS", "--nats-port", taken, 4222));
        Assert.Contains($"Port {taken} for NATS is in use", error.Message, StringComparison.Ordinal);
        Assert.Contains("--nats-port", error.Message, StringComparison.Ordinal);
        Assert.Throws<LocalException>(() => ports.Resolve("NATS", "--nats-port", 70_000, 4222));
        Assert.Throws<LocalException>(() => ports.Resolve("NATS", "--nats-port", 0, 4222));

        var fallback = ports.Resolve("NATS", "--nats-port", null, taken);
        Assert.NotEqual(taken, fallback);
        Assert.NotEqual(fallback, ports.Resolve("HTTP", "--http-port", null, fallback));
    }

    [Fact]
    public void Endpoints_are_read_back_while_the_instance_runs()
    {
        using var data = DataDirectory.Open(_directory.File("data"));
        Assert.Contains("streams up", Assert.Throws<LocalException>(() => Endpoints.Read(data.Path)).Message, StringComparison.Ordinal);
        _ = data.Run;
        var endpoints = new Endpoints
        {
            Pid = Environment.ProcessId,
            StartedAt = DateTimeOffset.UnixEpoch,
            Gateway = "ws://127.0.0.1:8080/v1/agent",
            Operator = "http://127.0.0.1:8081/",
            ClickHouse = "http://127.0.0.1:8123/",
            ClickHouseUser = Credentials.ClickHouseUser,
            ClickHousePasswordFile = "/p",
            ClickHouseReader = Credentials.ClickHouseReader,
            ClickHouseReaderPasswordFile = "/r",
            Nats = "nats://127.0.0.1:4222",
            Partitions = 4,
            NatsSeedFiles = new Dictionary<string, string> { ["operator"] = "/s" },
            CgroupIds = [1, ulong.MaxValue],
        };
        endpoints.Write(data);
        var read = Endpoints.Read(data.Path);
        Assert.Equal((endpoints.Nats, "/s", ulong.MaxValue), (read.Nats, read.NatsSeedFiles["operator"], read.CgroupIds[1]));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(data.Run, "endpoints.json")));

        (endpoints with { Pid = int.MaxValue }).Write(data);
        Assert.Throws<LocalException>(() => Endpoints.Read(data.Path));
        Endpoints.Remove(data);
    }

    [Fact]
    public void Cgroup_mount_and_path_are_found_where_they_are()
    {
        Assert.Equal("/sys/fs/cgroup/unified",
            Cgroups.Mount(["tmpfs /sys/fs/cgroup tmpfs rw 0 0", "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0",
                "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0"]));
        Assert.Null(Cgroups.Mount(["tmpfs /run tmpfs rw 0 0"]));
        Assert.Equal("/user.slice/x", Cgroups.OwnPath(["1:cpu:/y", "0::/user.slice/x"]));
        Assert.Equal("/", Cgroups.OwnPath(["1:cpu:/y"]));
    }
}
