using System.Text.Json;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>A short run of the chaos harness, as `./justw chaos` does it: the long ones are run by hand.</summary>
public sealed class ChaosTests
{
    [Fact]
    public Task Twelve_random_faults_lose_nothing_and_double_nothing() => RunAsync(faults: 12, "--seed", "3", "--rate", "2000", "--sources", "3");

    /// <summary>In full every 10 s for a minute under 500 agents: `./justw chaos --profile gateway-restarts`.</summary>
    [Fact]
    public Task A_gateway_that_is_restarted_under_forty_agents_loses_nothing_and_doubles_nothing() =>
        RunAsync(faults: 2, "--profile", "gateway-restarts", "--seed", "3", "--rate", "2000", "--sources", "2");

    private static async Task RunAsync(int faults, params string[] options)
    {
        using var directory = new TempDirectory();
        var file = Path.Combine(directory.Path, "chaos.json");
        var result = await Run.DotnetAsync(Run.Bench, ["chaos", "--short", "--json", file, .. options], TimeSpan.FromMinutes(4));
        Assert.True(result.Code == 0, result.ToString());
        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(file));
        long Value(string name) => report.RootElement.GetProperty(name).GetInt64();
        Assert.Equal(faults, Value("faults"));
        Assert.Equal((0, 0, 0), (Value("lost"), Value("doubled"), Value("unaccounted")));
        Assert.InRange(Value("stored"), 10_000, long.MaxValue);
        Assert.InRange(Value("max_rss_bytes"), 1, 2L << 30);
    }
}
