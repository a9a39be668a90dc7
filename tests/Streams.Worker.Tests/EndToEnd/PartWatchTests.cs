using Streams.Testing;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>A merged part that cannot be read is mended by a worker that runs, and told once with its rows.</summary>
[Collection(WorkerCollection.Name)]
public sealed class PartWatchTests(WorkerStack stack) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => stack.StopWorkersAsync();

    [Fact]
    public async Task A_part_of_empty_files_gives_way_to_its_sources_while_batches_arrive()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var before = await stack.StartAsync();
        await agent.SendAsync(1, messages: 20);
        await stack.SettledAsync(agent);
        await before.StopAsync();
        await stack.ClickHouse.QueryAsync("OPTIMIZE TABLE process_exec FINAL");
        var merged = await stack.ClickHouse.QueryAsync(
            "SELECT name, path FROM system.parts WHERE database = 'default' AND table = 'process_exec' AND active AND level > 0 ORDER BY rows DESC LIMIT 1 FORMAT TSVRaw");
        var (name, path) = (merged.Split('\t')[0], merged.Split('\t')[1]);
        foreach (var file in Directory.EnumerateFiles(path))
        {
            System.IO.File.WriteAllBytes(file, []);
        }

        var worker = await stack.StartAsync(stack.Options() with { PartInterval = TimeSpan.FromMilliseconds(100) });
        for (var message = 0; message < 40; message++)
        {
            await agent.SendAsync(1, messages: 1);
        }

        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync($"SELECT detail FROM system_alert WHERE kind = 'part_unreadable' AND subject = 'process_exec/{name}' FORMAT TSVRaw"),
            detail => detail.Contains("it is set aside", StringComparison.Ordinal) && detail.Contains(" 0 are lost (", StringComparison.Ordinal),
            "the part is mended and told",
            TimeSpan.FromSeconds(30));
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(60 * 2 * Producer.Rows, verdict.Rows);
        Assert.Single(stack.Log.Lines, line => line.Contains("part_unreadable"));
        await worker.StopAsync();
    }
}
