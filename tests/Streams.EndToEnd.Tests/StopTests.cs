using System.Diagnostics;
using Streams.Local;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>A stop goes in order; one that cannot go on ends by a second signal or by the limit of `streams serve`.</summary>
public sealed class StopTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempDirectory _directory = new("stop");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_stop_under_load_goes_in_order_and_the_next_start_waits_for_nobody()
    {
        var data = _directory.File("data");
        await using var first = await Up.StartAsync(data, "--no-agent");
        var endpoints = first.Endpoints;
        using var source = await Source.StartAsync(first, "stop-source", _directory.File("source"), rate: 2000);
        await source.RowsArriveAsync("at first", Patience);
        Assert.Equal(0, await first.StopAsync());

        var log = first.Log("streams-serve");
        string[] order = ["of stop-source ended: draining", "Gateway stopped", "drained and stopped"];
        var places = order.Select(text => log.IndexOf(text, StringComparison.Ordinal)).ToArray();
        Assert.True(places[0] >= 0 && places[0] < places[1] && places[1] < places[2], log);
        Assert.All(endpoints.Children.Values, child => Assert.False(LeakTripwire.IsRunning(child)));

        // Leases that were not released would hold the next worker up for 15 s; `up` is ready when rows can flow.
        var clock = Stopwatch.StartNew();
        await using var second = await Up.StartAgainAsync(data, endpoints, "--no-agent");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(12), $"ready after {clock.Elapsed}");
        source.Follow(second);
        await source.RowsArriveAsync("after the stop", Patience);
        await source.DrainAsync(Patience);
        var verdict = await source.JudgeAsync();
        Assert.True(verdict.Clean && verdict.Emitted > 0 && verdict.CountedLosses.Count == 0, verdict.ToString());
        Assert.Equal(0, await second.StopAsync());
    }

    [Fact]
    public async Task A_second_interrupt_ends_a_stop_that_hangs_and_leaves_nobody()
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--no-agent");
        var children = up.Endpoints.Children;
        Up.Signal("STOP", children["streams-serve"]);
        Up.Signal("INT", up.Pid);
        await Eventually.TrueAsync(() => !File.Exists(Path.Combine(up.Data, "run", "endpoints.json")), "the stop has begun");
        Assert.True(LeakTripwire.IsRunning(children["streams-serve"]));
        Up.Signal("INT", up.Pid);
        Assert.Equal(130, await up.WaitAsync(TimeSpan.FromSeconds(5)));
        foreach (var child in children.Values)
        {
            await Eventually.TrueAsync(() => !LeakTripwire.IsRunning(child), $"child {child} is gone");
        }
    }

    [Fact]
    public async Task A_stop_of_serve_that_takes_too_long_is_cut_off()
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--no-agent");
        var endpoints = up.Endpoints;
        var keys = Path.Combine(up.Data, "keys");
        var operatorPort = Ports.Free();
        using var serve = Process.Start(new ProcessStartInfo(
            "dotnet",
            [
                Path.Combine(Repository.Root, Run.Host), "serve", "--stop-seconds", "1",
                "--listen", $"127.0.0.1:{Ports.Free()}", "--operator-listen", $"127.0.0.1:{operatorPort}",
                "--nats", endpoints.Nats, "--nats-gateway-seed", endpoints.NatsSeedFiles["gateway"],
                "--nats-worker-seed", endpoints.NatsSeedFiles["worker"], "--nats-services-seed", endpoints.NatsSeedFiles["services"],
                "--clickhouse", endpoints.ClickHouse, "--clickhouse-password-file", endpoints.ClickHousePasswordFile,
                "--gateway-key", Path.Combine(keys, "gateway.key"), "--gateway-certificate", Path.Combine(keys, "gateway.cert"),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = serve.StandardError.ReadToEndAsync();
        var output = serve.StandardOutput.ReadToEndAsync();
        string[] stopped = ["streams-serve", "nats-server", "streams-clickhouse"];
        try
        {
            // The other one's leases run out.
            Up.Signal("STOP", endpoints.Children["streams-serve"]);
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{operatorPort}/") };
            await Eventually.TrueAsync(() => HasPartitionsAsync(http), "serve has all partitions", TimeSpan.FromSeconds(60));

            // Who is to give leases back waits for a queue that answers nothing.
            Up.Signal("STOP", endpoints.Children["nats-server"]);
            Up.Signal("STOP", endpoints.Children["streams-clickhouse"]);
            Up.Signal("TERM", serve.Id);
            await serve.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
            Assert.Equal(1, serve.ExitCode);
            Assert.Contains("the stop took longer than 1 s", await errors, StringComparison.Ordinal);
            await output;
        }
        finally
        {
            foreach (var name in stopped)
            {
                Up.Signal("CONT", endpoints.Children[name]);
            }
        }
    }

    private static async Task<bool> HasPartitionsAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync("healthz");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
