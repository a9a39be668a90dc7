using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>Whatever is wrong with a command line ends in one line that says what and how to mend it, and a non-zero exit.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("--partitions 0", "--partitions 0: expected 1 to 64")]
    [InlineData("--ttl-days 9999", "--ttl-days 9999: expected 1 to 3650")]
    [InlineData("--gateway-port 70000", "--gateway-port 70000")]
    [InlineData("--gateway-port many", "many")]
    [InlineData("--no-such-option", "--no-such-option")]
    [InlineData("--listen somewhere", "--listen somewhere: expected an IP address")]
    [InlineData("--agent-id Not_An_Id", "--agent-id Not_An_Id")]
    public async Task An_option_that_is_wrong_is_named(string options, string expected)
    {
        using var directory = new TempDirectory();
        var result = await Run.HostAsync(["up", "--data", directory.Path, .. options.Split(' ')]);
        Assert.NotEqual(0, result.Code);
        Assert.Contains(expected, result.ErrorLine);
    }

    [Fact]
    public async Task A_given_port_that_is_in_use_is_named()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var directory = new TempDirectory();
        var result = await Run.HostAsync("up", "--data", directory.Path, "--clickhouse-port", $"{port}");
        Assert.Equal(1, result.Code);
        Assert.Contains($"Port {port} for ClickHouse is in use", result.ErrorLine);
    }

    [Fact]
    public async Task A_damaged_key_file_is_named()
    {
        using var directory = new TempDirectory();
        var keys = Directory.CreateDirectory(Path.Combine(directory.Path, "keys"));
        var file = Path.Combine(keys.FullName, "gateway.key");
        await File.WriteAllTextAsync(file, "not a key\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var result = await Run.HostAsync("up", "--data", directory.Path);
        Assert.Equal(1, result.Code);
        Assert.Contains($"{file}: not a key file", result.ErrorLine);
    }

    [Fact]
    public async Task A_missing_nats_server_is_named_with_the_remedy()
    {
        using var directory = new TempDirectory();
        var result = await Run.DotnetAsync(
            Run.Host, ["up", "--data", directory.Path], TimeSpan.FromSeconds(60),
            new Dictionary<string, string?> { ["STREAMS_NATS_PROGRAM"] = Path.Combine(directory.Path, "nats-server") });
        Assert.Equal(1, result.Code);
        Assert.Contains("nats-server was not found", result.ErrorLine);
    }

    [Fact]
    public async Task A_query_without_an_instance_says_how_to_start_one()
    {
        using var directory = new TempDirectory();
        var result = await Run.HostAsync("sql", "SELECT 1", "--data", directory.Path);
        Assert.Equal(1, result.Code);
        Assert.Contains("streams up", result.ErrorLine);
    }

    [Fact]
    public async Task Serve_without_what_it_needs_names_the_first_option()
    {
        var result = await Run.HostAsync("serve");
        Assert.Equal(2, result.Code);
        Assert.Contains("--", result.ErrorLine);
    }

    [Theory]
    [InlineData("gateway,workers", "workers")]
    [InlineData(",", "expected some of")]
    [InlineData("services", "--nats-services-seed")]
    [InlineData("gateway", "--nats-gateway-seed")]
    public async Task Roles_that_are_none_and_roles_without_their_options_are_named(string roles, string named)
    {
        var result = await Run.HostAsync("serve", "--nats", "nats://127.0.0.1:1", "--roles", roles);
        Assert.Equal(2, result.Code);
        Assert.Contains(named, result.ErrorLine);
    }

    [Theory]
    [InlineData("--nats", "nats://192.0.2.1:4222", "tls://")]
    [InlineData("--clickhouse", "http://clickhouse.example:8123", "https://")]
    public async Task Serve_speaks_without_TLS_to_no_other_machine_unless_told_to(string option, string url, string secure)
    {
        string[] serve = ["serve", "--nats", "nats://127.0.0.1:1", "--nats-worker-seed", "/none", "--clickhouse", "http://127.0.0.1:1", "--clickhouse-password-file", "/none", "--roles", "worker"];
        serve[Array.IndexOf(serve, option) + 1] = url;
        var refused = await Run.HostAsync(serve);
        Assert.Equal(2, refused.Code);
        Assert.Contains($"{option} {url}", refused.ErrorLine);
        Assert.Contains(secure, refused.ErrorLine);
        Assert.DoesNotContain(url, (await Run.HostAsync([.. serve, "--plain-backends"])).ErrorLine);
    }

    [Fact]
    public async Task A_demo_without_root_says_so()
    {
        // The repository may lie where only root may read: another user runs a copy.
        using var directory = new TempDirectory();
        var copy = Path.Combine(directory.Path, "bench");
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, Path.GetDirectoryName(Run.Bench)!)))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }
        File.SetUnixFileMode(directory.Path, (UnixFileMode)0b111_101_101);
        using var process = Process.Start(new ProcessStartInfo(
            "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "env", $"HOME={directory.Path}", "dotnet",
                Path.Combine(copy, "Streams.Bench.dll"), "demo"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(1, process.ExitCode);
        Assert.Equal("bench: demo needs root: the agent loads eBPF programs; run: sudo ./justw demo\n", errors);
    }
}
