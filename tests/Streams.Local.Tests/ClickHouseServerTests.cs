using Streams.Testing;

namespace Streams.Local.Tests;

public sealed class ClickHouseServerTests
{
    [Fact]
    public async Task Starts_keeps_its_data_over_a_restart_and_refuses_strangers()
    {
        await using var clickHouse = await ClickHouseProcess.StartAsync();
        Assert.Equal("42", await clickHouse.QueryAsync("SELECT 40 + 2"));
        await clickHouse.QueryAsync("CREATE TABLE kept (a UInt32) ENGINE = MergeTree ORDER BY a");
        await clickHouse.QueryAsync("INSERT INTO kept SELECT number FROM numbers(10)");
        using var stranger = new HttpClient();
        Assert.False((await stranger.PostAsync(clickHouse.Url, new StringContent("SELECT 1"))).IsSuccessStatusCode);

        var exit = await clickHouse.StopAsync();
        Assert.Equal(0, exit.Code);
        await clickHouse.RestartAsync();
        Assert.Equal("10", await clickHouse.QueryAsync("SELECT count() FROM kept"));
        var pid = clickHouse.Server.Process.Id;
        await clickHouse.DisposeAsync();
        LeakTripwire.AssertEnded(pid);
    }

    [Fact]
    public async Task Missing_program_says_what_to_do()
    {
        using var directory = new TempDirectory();
        var credentials = Credentials.Open(Directory.CreateDirectory(directory.File("keys")).FullName);
        var error = await Assert.ThrowsAsync<LocalException>(() => ClickHouseServer.StartAsync(
            new ClickHouseServerOptions
            {
                Program = "/nowhere/streams-clickhouse",
                DataDirectory = directory.File("data"),
                LogPath = directory.File("log"),
                Port = Ports.Free(),
            },
            credentials));
        Assert.Contains("/nowhere/streams-clickhouse", error.Message, StringComparison.Ordinal);
    }
}
