using System.Diagnostics;
using System.Globalization;
using Streams.Local;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>`streams up` under kill -9 of each of its children: new events become rows every time.</summary>
public sealed class RestartTests : IDisposable
{
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _directory = new("restart");

    // A temporary directory is closed to others, and through a closed one the servers' user could not pass.
    public RestartTests() =>
        File.SetUnixFileMode(_directory.Path, File.GetUnixFileMode(_directory.Path) | UnixFileMode.OtherExecute);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Each_killed_server_comes_back_on_its_port_without_root_and_rows_go_on()
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--no-agent");
        using var source = await Source.StartAsync(up, "restart-source", _directory.File("source"), rate: 200);
        await source.RowsArriveAsync("at first", Recovery);
        var before = up.Endpoints;
        Assert.Equal(["nats-server", "streams-clickhouse", "streams-serve"], before.Statuses.Select(child => child.Name));
        foreach (var name in before.Children.Keys)
        {
            if (Environment.UserName == "root" && name != "streams-serve")
            {
                Assert.Equal(ServiceUser.Id.ToString(CultureInfo.InvariantCulture), UserOf(before.Children[name]));
            }
            await up.KillAsync(name);
            await source.RowsArriveAsync($"after the kill of {name}", Recovery);
        }
        var after = up.Endpoints;
        Assert.Equal((before.Gateway, before.Nats, before.ClickHouse), (after.Gateway, after.Nats, after.ClickHouse));
        Assert.All(after.Statuses, child => Assert.Equal(1, child.Restarts));
        Assert.Contains("streams-serve", (await Run.HostAsync("status", "--json", "--data", up.Data)).Output);
        await source.DrainAsync(Recovery);
        var verdict = await source.JudgeAsync();
        Assert.True(verdict.Clean && verdict.Emitted > 0 && verdict.CountedLosses.Count == 0, verdict.ToString());
        Assert.Equal(0, await up.StopAsync());
    }

    [RootFact(agent: true)]
    public async Task A_killed_agent_goes_on_and_a_queue_that_was_wiped_lets_it_in_again()
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--agent-id", $"restart-{Environment.ProcessId}");
        await EventsArriveAsync(up, "at first");
        await up.KillAsync("streams-agent");
        await EventsArriveAsync(up, "after the kill of the agent");

        // The queue's store is lost: nobody is known any more. A gateway that starts then must get to know the agent.
        up.LoseQueue(_directory.File("lost"));
        await Eventually.TrueAsync(() => up.Status("nats-server") is { State: ChildState.Running, Restarts: 1 }, "nats-server runs again",
            Recovery);
        await up.KillAsync("streams-serve");
        await EventsArriveAsync(up, "after the queue was wiped and the gateway killed");
        Assert.Equal(0, await up.StopAsync());
    }

    /// <summary>Starts processes that nobody else starts until the row of one is there: a new agent needs a moment to attach.</summary>
    private static async Task EventsArriveAsync(Up up, string when)
    {
        var mark = Guid.NewGuid().ToString("N");
        await Eventually.TrueAsync(
            async () =>
            {
                using var process = Process.Start("/bin/true", mark);
                await process.WaitForExitAsync();
                return await up.TryQueryAsync($"SELECT count() > 0 FROM process_exec WHERE position(argv, '{mark}') > 0") == "1";
            },
            $"the row of a process arrives {when}", Recovery);
    }

    private static string UserOf(int pid) =>
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1];
}
