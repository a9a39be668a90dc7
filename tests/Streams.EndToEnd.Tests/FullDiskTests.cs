using System.Diagnostics;
using Streams.Local;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>The disk under `streams up` is filled under load and freed: no restart by hand, and every event once.</summary>
public sealed class FullDiskTests
{
    private const int Mebibytes = 768;

    [RootFact]
    public async Task A_full_disk_holds_credit_and_when_it_is_freed_everything_drains()
    {
        using var directory = new TempDirectory("disk");
        // Through a closed directory the servers' user could not pass.
        File.SetUnixFileMode(directory.Path, File.GetUnixFileMode(directory.Path) | UnixFileMode.OtherExecute);
        var disk = Directory.CreateDirectory(directory.File("disk")).FullName;
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={Mebibytes}m,mode=0711", "streams-test", disk);
        try
        {
            await using var up = await Up.StartAsync(Path.Combine(disk, "data"), "--no-agent");
            using var source = await Source.StartAsync(up, "disk-source", directory.File("source"), rate: 2000);
            await source.RowsArriveAsync("before", TimeSpan.FromSeconds(20));

            // As our tables have: a write to its log that was refused makes it refuse every later insert until a restart
            // (ClickHouse#118350).
            Assert.NotNull(await up.TryQueryAsync(
                "CREATE TABLE probe (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 1000"));
            var n = 0;
            Task<string?> InsertAsync() => up.TryQueryAsync($"INSERT INTO probe SELECT {n++} + number FROM numbers(100000)");
            Assert.NotNull(await InsertAsync());

            await FillAsync(Path.Combine(disk, "fill"), async () => new Effects(
                (await up.HealthAsync()).Contains("credit_held:disk", StringComparison.Ordinal), await InsertAsync() is null,
                !await QueueAnswersAsync(up)));

            await Eventually.TrueAsync(
                () => new[] { "nats-server", "streams-clickhouse" }.All(name => up.Status(name).LastFailure?.Contains("the disk was full", StringComparison.Ordinal) is true),
                "both servers are started anew", TimeSpan.FromSeconds(40));
            await source.RowsArriveAsync("after the disk was freed", TimeSpan.FromSeconds(40));
            await Eventually.TrueAsync(async () => await InsertAsync() is not null, "inserts succeed again", TimeSpan.FromSeconds(20));
            Assert.Equal((1, 1, 0),
                (up.Status("nats-server").Restarts, up.Status("streams-clickhouse").Restarts, up.Status("streams-serve").Restarts));
            await source.DrainAsync(TimeSpan.FromSeconds(30));
            var verdict = await source.JudgeAsync();
            Assert.True(verdict.Clean && verdict.Emitted > 0 && verdict.CountedLosses.Count == 0, verdict.ToString());
            await Eventually.TrueAsync(
                async () => await up.TryQueryAsync("SELECT count() > 0 FROM system_alert WHERE kind = 'disk_low'") == "1",
                "the alert is a row", TimeSpan.FromSeconds(40));
            Assert.Equal(0, await up.StopAsync());
        }
        finally
        {
            await RunAsync("umount", "-l", disk);
        }
    }

    private static async Task<bool> QueueAnswersAsync(Up up)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            var credentials = Credentials.Open(Path.Combine(up.Data, "keys"));
            return await NatsServer.ProbeAsync(new Uri(up.Endpoints.Nats).Port, credentials, patience.Token) is null;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Takes every byte that is or becomes free until all effects are seen.</summary>
    private static async Task FillAsync(string path, Func<Task<Effects>> see)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            var block = new byte[1 << 20];
            await Eventually.ValueAsync(
                async () =>
                {
                    for (var size = block.Length; size >= 4096;)
                    {
                        try
                        {
                            file.Write(block, 0, size);
                        }
                        catch (IOException)
                        {
                            size /= 2;
                        }
                    }
                    return await see();
                },
                effects => effects is { CreditHeld: true, InsertRefused: true, QueueSilent: true },
                "credit is held and writes are refused", TimeSpan.FromSeconds(20));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    private sealed record Effects(bool CreditHeld, bool InsertRefused, bool QueueSilent);
}
