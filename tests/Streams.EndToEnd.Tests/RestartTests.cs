using System.Diagnostics;
using System.Globalization;
using Streams.Local;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>`streams up` under kill -9 of each of its children.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task Each_killed_child_comes_back_on_its_port_and_servers_are_not_root()
    {
        using var directory = new TempDirectory("restart");
        // A temporary directory is closed to others, and through a closed one the servers' user could not pass.
        File.SetUnixFileMode(directory.Path, File.GetUnixFileMode(directory.Path) | UnixFileMode.OtherExecute);
        var data = directory.File("data");
        using var up = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(Repository.Root, Run.Host), "up", "--data", data, "--no-agent", "--plain"])
        {
            RedirectStandardOutput = true,
        })!;
        try
        {
            await Eventually.TrueAsync(() => File.Exists(Path.Combine(data, "run", "endpoints.json")), "up is ready", TimeSpan.FromSeconds(60));
            var before = Endpoints.Read(data);
            Assert.Equal(["nats-server", "streams-clickhouse", "streams-serve"], before.Statuses.Select(child => child.Name));
            using var http = new HttpClient { BaseAddress = new Uri(before.Operator), Timeout = TimeSpan.FromSeconds(5) };
            foreach (var name in before.Children.Keys)
            {
                if (Environment.UserName == "root" && name != "streams-serve")
                {
                    Assert.Equal(ServiceUser.Id.ToString(CultureInfo.InvariantCulture), UserOf(before.Children[name]));
                }
                Process.GetProcessById(before.Children[name]).Kill();
                await Eventually.TrueAsync(
                    () => Endpoints.Read(data) is var now && now.Children.TryGetValue(name, out var pid) && pid != before.Children[name], $"{name} runs again", TimeSpan.FromSeconds(30));
                await Eventually.TrueAsync(() => Healthy(http), $"rows can flow after the kill of {name}", TimeSpan.FromSeconds(60));
            }
            var after = Endpoints.Read(data);
            Assert.Equal((before.Gateway, before.Nats, before.ClickHouse), (after.Gateway, after.Nats, after.ClickHouse));
            Assert.All(after.Statuses, child => Assert.Equal(1, child.Restarts));
            Assert.Contains("streams-serve", (await Run.HostAsync("status", "--json", "--data", data)).Output);
            Assert.Equal("\"a\"\n1\n", (await Run.HostAsync("sql", "SELECT 1 AS a", "--data", data, "--format", "csv")).Output);
        }
        finally
        {
            using var kill = Process.Start("kill", ["-TERM", $"{up.Id}"]);
            await up.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        Assert.Equal(0, up.ExitCode);
    }

    private static bool Healthy(HttpClient http)
    {
        try
        {
            using var answer = http.Send(new HttpRequestMessage(HttpMethod.Get, "healthz"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private static string UserOf(int pid) =>
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1];
}
