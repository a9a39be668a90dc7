using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Streams.Testing;

namespace Streams.ClickHouse.Embedded.Tests;

/// <summary>Start, stop, crash, bounds: each with a server of its own.</summary>
public sealed class LifecycleTests : IDisposable
{
    private const string Sleeper = "SELECT sleepEachRow(0.1) FROM numbers(600) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 100000000";
    private const string SleepersRunning = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'";

    private readonly TempDirectory _directory = new("embedded");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Committed_rows_outlive_a_kill_and_dropped_tables_leave_nothing()
    {
        await using (var first = await ServerProcess.StartAsync(_directory))
        {
            await first.QueryAsync("CREATE TABLE kept (id UInt64) ENGINE = MergeTree ORDER BY id SETTINGS fsync_after_insert = 1, fsync_part_directory = 1");
            await first.QueryAsync("CREATE TABLE dropped (id UInt64) ENGINE = MergeTree ORDER BY id");
            for (var i = 0; i < 20; i++)
                await first.QueryAsync($"INSERT INTO kept SELECT number + {1000 * i} FROM numbers(1000)");
            await first.QueryAsync("INSERT INTO dropped SELECT number FROM numbers(1000)");
            await first.QueryAsync("DROP TABLE dropped");
            Assert.NotEmpty(Directory.GetFiles(_directory.File("data/metadata_dropped")));
            await first.KillAsync();
        }

        await using var second = await ServerProcess.StartAsync(_directory);
        Assert.Equal("20000\t199990000", await second.QueryAsync("SELECT count(), sum(id) FROM kept"));
        Assert.Empty(Directory.GetFiles(_directory.File("data/metadata_dropped")));
        Assert.Equal("1", await second.QueryAsync("SELECT uniq(uuid) FROM system.tables WHERE database = 'default'"));
        Assert.Equal(0, await second.StopAsync());
    }

    [Fact]
    public async Task Sigterm_lets_short_queries_end_and_kills_long_ones()
    {
        await using var server = await ServerProcess.StartAsync(_directory);
        var shortQuery = server.QueryAsync("SELECT sleep(1.5)");
        var longQuery = server.QueryAsync(Sleeper);
        await Eventually.ValueAsync(() => server.QueryAsync("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep%'"), count => count == "2", "both run");
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(0, await server.StopAsync());
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 1, 15);
        Assert.Equal("0", await shortQuery);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => longQuery);
        Assert.DoesNotContain("unhandled", server.Errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_its_query()
    {
        await using var server = await ServerProcess.StartAsync(_directory, "--max-connections", "2");
        await server.QueryAsync("CREATE TABLE slow (id UInt64, s UInt8 DEFAULT sleepEachRow(0.1)) ENGINE = MergeTree ORDER BY id");
        // While it waits for rows, while it sends rows that nobody reads, and while it inserts.
        foreach (var (sql, running) in new[]
        {
            (Sleeper, SleepersRunning),
            ("SELECT number FROM numbers(100000000000)", "SELECT count() FROM system.processes WHERE query LIKE 'SELECT number FROM%'"),
            ("INSERT INTO slow (id) SELECT number FROM numbers(1000) SETTINGS max_block_size = 5, function_sleep_max_microseconds_per_block = 1000000000", "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO slow%'"),
        })
        {
            using (var socket = new TcpClient())
            {
                await socket.ConnectAsync(IPAddress.Loopback, server.Url.Port);
                var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ServerProcess.User}:{ServerProcess.Password}"));
                await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                    $"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\nContent-Length: {sql.Length}\r\n\r\n{sql}"));
                await Eventually.ValueAsync(() => server.QueryAsync(running), count => count == "1", $"runs: {sql}");
            }

            await Eventually.ValueAsync(() => server.QueryAsync(running), count => count == "0", $"was cancelled: {sql}");
        }

        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task A_body_that_is_not_complete_in_half_of_max_execution_time_begins_nothing()
    {
        await using var server = await ServerProcess.StartAsync(_directory);
        await server.QueryAsync("CREATE TABLE late (id UInt64) ENGINE = MergeTree ORDER BY id");
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Url.Port);
        var stream = socket.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ServerProcess.User}:{ServerProcess.Password}"));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            "POST /?max_execution_time=2&query=INSERT%20INTO%20late%20FORMAT%20TSV HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            + $"Authorization: Basic {credentials}\r\nContent-Length: 4\r\n\r\n"));
        Assert.Contains("100", await reader.ReadLineAsync());
        await reader.ReadLineAsync();
        await stream.WriteAsync("1\n"u8.ToArray());
        // What a client that was stopped in the middle hears when it goes on, and what it sends then is too late.
        Assert.Contains("408", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)));
        await stream.WriteAsync("2\n"u8.ToArray());
        Assert.Contains("159", await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(40)));
        Assert.Equal("0", await server.QueryAsync("SELECT count() FROM late"));
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task More_queries_than_connections_wait_and_then_are_told_so()
    {
        await using var server = await ServerProcess.StartAsync(_directory, "--max-connections", "2", "--wait-limit", "1");
        using var left = new CancellationTokenSource();
        var sleepers = Enumerable.Range(0, 2).Select(_ => server.Http.PostAsync("/", new StringContent(Sleeper), left.Token)).ToArray();
        await Eventually.TrueAsync(
            async () =>
            {
                using var response = await server.PostAsync("", new StringContent("SELECT 1"));
                return response.StatusCode == HttpStatusCode.InternalServerError;
            },
            "both connections are taken");
        Assert.Contains("--max-connections", await server.ErrorAsync(500, 202, "SELECT 1"));
        Assert.Equal("Ok.\n", await server.Http.GetStringAsync("/ping"));
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(sleepers));
        // Six at a time over two connections: all get their turn.
        await Eventually.ValueAsync(() => server.QueryAsync(SleepersRunning), count => count == "0", "the sleepers were cancelled");
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 6).Select(i => server.QueryAsync($"SELECT {i} + sleep(0.1)"))), (value, i) => Assert.Equal($"{i}", value));
    }

    [Fact]
    public async Task Bodies_are_bounded_before_and_after_decoding()
    {
        await using var server = await ServerProcess.StartAsync(_directory, "--max-body", "1M");
        await server.QueryAsync("CREATE TABLE bounded (id UInt64, s String) ENGINE = MergeTree ORDER BY id");
        const string insert = "query=INSERT+INTO+bounded+FORMAT+TSV";
        var bytes = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 60_000).Select(i => $"{i}\t0123456789012345678\n")));
        Assert.True(bytes.Length > 1 << 20);
        using (var plain = await server.PostAsync(insert, new ByteArrayContent(bytes)))
            Assert.Contains("--max-body", await ServerProcess.ErrorAsync(413, 229, plain));
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/?" + insert) { Content = new StreamContent(new MemoryStream(bytes)) };
        chunked.Headers.TransferEncodingChunked = true;
        using (var response = await server.Http.SendAsync(chunked))
            await ServerProcess.ErrorAsync(413, 229, response);
        using var packed = new MemoryStream();
        using (var encoder = new ZstdSharp.CompressionStream(packed, leaveOpen: true))
            encoder.Write(bytes);
        var bomb = new ByteArrayContent(packed.ToArray());
        bomb.Headers.ContentEncoding.Add("zstd");
        using (var response = await server.PostAsync(insert, bomb))
            await ServerProcess.ErrorAsync(413, 229, response);
        Assert.Equal("0", await server.QueryAsync("SELECT count() FROM bounded"));
        Assert.Equal("default", await server.QueryAsync("SELECT currentDatabase()"));
    }

    [Fact]
    public async Task The_engine_keeps_to_its_memory()
    {
        await using var server = await ServerProcess.StartAsync(_directory, "--max-memory", "800M");
        Assert.Equal("838860800", await server.QueryAsync("SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'"));
        await server.ErrorAsync(500, 241, "SELECT uniqExact(number, toString(number)) FROM numbers(100000000)");
        Assert.Equal("1", await server.QueryAsync("SELECT 1"));
    }

    [Fact]
    public async Task A_password_file_serves_one_user()
    {
        var password = _directory.File("password");
        await File.WriteAllTextAsync(password, "secret\n");
        File.SetUnixFileMode(password, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var port = Ports();
        using var process = Process.Start(new ProcessStartInfo(
            ServerProcess.Program, ["--data", _directory.File("data"), "--listen", $"127.0.0.1:{port}", "--user", "me", "--password-file", password])
        { RedirectStandardOutput = true })!;
        try
        {
            Assert.Equal($"listening on http://127.0.0.1:{port}", await process.StandardOutput.ReadLineAsync());
            using var http = new HttpClient();
            Assert.Equal("1\n", await http.GetStringAsync($"http://127.0.0.1:{port}/?user=me&password=secret&query=SELECT+1"));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private static int Ports()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
