using System.Text.Json;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>A short run of the chaos harness, as `./justw chaos` does it: the long ones are run by hand.</summary>
public sealed class ChaosTests
{
    [Fact]
    public async Task Twelve_random_faults_lose_nothing_and_double_nothing()
    {
        using var directory = new TempDirectory();
        var file = Path.Combine(directory.Path, "chaos.json");
        var result = await Run.DotnetAsync(
            Run.Bench, ["chaos", "--short", "--seed", "3", "--rate", "2000", "--sources", "3", "--json", file], TimeSpan.FromMinutes(4));
        Assert.True(result.Code == 0, result.ToString());
        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(file));
        long Value(string name) => report.RootElement.GetProperty(name).GetInt64();
        Assert.Equal(12, Value("faults"));
        Assert.Equal((0, 0, 0), (Value("lost"), Value("doubled"), Value("unaccounted")));
        Assert.InRange(Value("stored"), 10_000, long.MaxValue);
        Assert.InRange(Value("max_rss_bytes"), 1, 2L << 30);
    }
}
