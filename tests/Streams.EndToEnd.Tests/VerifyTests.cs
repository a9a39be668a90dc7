using System.Diagnostics;
using System.Text.Json;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>The real agent signs, the real worker stores, and `streams verify` tells what was done to the rows.</summary>
public sealed class VerifyTests : IDisposable
{
    private readonly TempDirectory _directory = new("verify");

    [RootFact(agent: true)]
    public async Task What_the_agent_signed_is_verified_and_one_altered_value_is_found()
    {
        await using var up = await Up.StartAsync(_directory.File("data"));
        // A signed checkpoint of a lane with exec rows, stored together with the rows.
        const string Signed = """
            FROM batch_proof AS p INNER JOIN process_exec AS e ON e.epoch = p.proven_epoch AND e.lane = p.proven_lane
            WHERE p.signature != '' AND e.batch <= p.proven_batch
            """;
        await Eventually.TrueAsync(
            async () =>
            {
                // Also after the agent has attached: it is ready a moment later than the servers.
                using var process = Process.Start("true");
                await process.WaitForExitAsync();
                return await up.TryQueryAsync($"SELECT count() {Signed}") is { } count && count != "0";
            },
            "a signed batch", TimeSpan.FromSeconds(60));
        var agent = (await up.TryQueryAsync("SELECT any(agent_id) FROM process_exec"))!;
        var clean = await Run.HostAsync("verify", agent, "--json", "--data", up.Data);
        Assert.True(clean.Code == 0, clean.ToString());
        using (var document = JsonDocument.Parse(clean.Output))
        {
            Assert.NotEmpty(document.RootElement.GetProperty("keys").EnumerateArray());
            Assert.Equal(("registry", false), (document.RootElement.GetProperty("key_source").GetString(), document.RootElement.GetProperty("row_keys_used").GetBoolean()));
            var lanes = document.RootElement.GetProperty("lanes").EnumerateArray().ToList();
            Assert.True(lanes.Sum(lane => lane.GetProperty("signed").GetInt64()) > 0, clean.Output);
            Assert.All(lanes, lane => Assert.Contains(lane.GetProperty("state").GetString(), new[] { "signed", "unsigned_tail" }));
        }

        var where = await up.TryQueryAsync(
            $"SELECT concat('epoch = ', toString(e.epoch), ' AND lane = ', toString(e.lane), ' AND batch = ', toString(e.batch), ' AND row = ', toString(e.row)) {Signed} LIMIT 1");
        Assert.NotNull(await up.TryQueryAsync($"ALTER TABLE process_exec UPDATE uid = uid + 1 WHERE {where} SETTINGS mutations_sync = 2"));
        var altered = await Run.HostAsync("verify", agent, "--data", up.Data);
        Assert.True(altered.Code == 1, altered.ToString());
        Assert.Contains("leave no trace here and are not found", altered.Output, StringComparison.Ordinal);
        Assert.Contains("altered: ", altered.Output, StringComparison.Ordinal);
        Assert.Contains("process_exec: the rows are not those that were signed", altered.Output, StringComparison.Ordinal);
        Assert.Equal(0, await up.StopAsync());
    }

    public void Dispose() => _directory.Dispose();
}
