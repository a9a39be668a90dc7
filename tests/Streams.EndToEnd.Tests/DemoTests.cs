using System.Text.Json;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>The whole path, as `./justw demo` proves it: real kernel, real servers, every process.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task Five_hundred_processes_and_two_hundred_connections_are_rows_exactly_once()
    {
        Assert.True(Environment.UserName == "root", "the demo loads eBPF programs: run the tests as root");
        using var directory = new TempDirectory();
        var file = Path.Combine(directory.Path, "demo.json");
        var result = await Run.DotnetAsync(Run.Bench, ["demo", "--json", file], TimeSpan.FromMinutes(5));
        Assert.True(result.Code == 0, result.ToString());
        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(file));
        long Value(string name) => report.RootElement.GetProperty(name).GetInt64();
        Assert.Equal(500, Value("execs_found"));
        Assert.Equal(200, Value("connects_found"));
        Assert.Equal(0, Value("duplicates"));
        Assert.Equal(0, Value("ledger_difference"));
        Assert.InRange(Value("agent_rss_bytes"), 1, 16L << 20);
        Assert.InRange(Value("agent_peak_rss_bytes"), 1, 32L << 20);
        Assert.InRange(Value("agent_binary_bytes"), 1, 8L << 20);
    }
}
