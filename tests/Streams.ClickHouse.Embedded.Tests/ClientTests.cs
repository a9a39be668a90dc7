using System.Diagnostics;
using System.Text;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.Utility;
using Streams.Testing;

namespace Streams.ClickHouse.Embedded.Tests;

/// <summary>ClickHouse's own clients and curl, unchanged.</summary>
[Collection(SharedServer.Name)]
public sealed class ClientTests(SharedServer shared)
{
    private readonly ServerProcess _server = shared.Server;

    [Fact]
    public async Task JavaScript_client()
    {
        var folder = Path.Combine(Repository.Root, "tests/Streams.ClickHouse.Embedded.Tests/js");
        if (!Directory.Exists(Path.Combine(folder, "node_modules/@clickhouse/client")))
        {
            var install = await RunAsync("npm", ["ci", "--silent", "--no-progress"], folder);
            Assert.True(install.ExitCode == 0, $"npm ci in {folder}: {install.Output}");
        }

        var (exitCode, output) = await RunAsync("node", ["client.mjs", _server.Url.ToString(), ServerProcess.User], folder);
        Assert.True(exitCode == 0, output);
        Assert.Equal(14, output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
        await Eventually.ValueAsync(() => _server.QueryAsync("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'"), count => count == "0", "the aborted query ended");
    }

    [Fact]
    public async Task Curl()
    {
        string[] common = ["-sS", "--fail-with-body", "-u", $"{ServerProcess.User}:{ServerProcess.Password}"];
        var url = _server.Url.ToString();
        Assert.Equal("Ok.\n", (await RunAsync("curl", ["-sS", url + "ping"])).Output);
        Assert.Equal("1\n", (await RunAsync("curl", [.. common, url, "-d", "SELECT 1"])).Output);
        await RunAsync("curl", [.. common, url, "-d", "CREATE TABLE curl (id UInt64) ENGINE = Memory"]);
        // Above 1 MiB curl asks first (Expect: 100-continue).
        using var directory = new TempDirectory("curl");
        await File.WriteAllLinesAsync(directory.File("rows"), Enumerable.Range(0, 300_000).Select(i => $"{i}"));
        Assert.Equal((0, ""), await RunAsync("curl", [.. common, url + "?query=INSERT+INTO+curl+FORMAT+TSV", "--data-binary", "@" + directory.File("rows")]));
        Assert.Equal("300000\n", (await RunAsync("curl", [.. common, "--compressed", url + "?enable_http_compression=1", "-d", "SELECT count() FROM curl"])).Output);
        var (exitCode, output) = await RunAsync("curl", [.. common, url, "-d", "SELECT * FROM nowhere"]);
        Assert.Equal(22, exitCode);
        Assert.StartsWith("Code: 60. DB::Exception", output);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Driver_of_ClickHouse_for_NET(bool compression)
    {
        using var connection = Connect(compression, ServerProcess.Password);
        await connection.OpenAsync();
        Assert.StartsWith("26.5", (string)await connection.ExecuteScalarAsync("SELECT version()"));
        var table = $"driver_{compression}";
        await connection.ExecuteStatementAsync($"CREATE TABLE {table} (id UInt64, name LowCardinality(String), at DateTime64(6), tags Array(String), maybe Nullable(Int32)) ENGINE = MergeTree ORDER BY id");

        using (var command = connection.CreateCommand())
        {
            command.CommandText = $"INSERT INTO {table} VALUES ({{id:UInt64}}, {{name:String}}, {{at:DateTime64(6)}}, ['a', 'b'], NULL)";
            command.AddParameter("id", 1UL);
            command.AddParameter("name", "it's \\ \n\t ünï");
            command.AddParameter("at", new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
            await command.ExecuteNonQueryAsync();
        }

        using (var client = new ClickHouseClient(Settings(compression, ServerProcess.Password)))
        {
            var rows = Enumerable.Range(2, 49_999).Select(i => new object[] { (ulong)i, $"n{i % 10}", new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc), new[] { "x" }, i });
            Assert.Equal(49_999, await client.InsertBinaryAsync(table, ["id", "name", "at", "tags", "maybe"], rows));
            var block = new NativeBlock(1000).UInt64("id", i => (ulong)(100_000 + i)).String("name", _ => "raw"u8.ToArray()).ToArray();
            using var sent = await client.InsertRawStreamAsync(table, new MemoryStream(block), "Native", ["id", "name"]);
        }

        using (var command = connection.CreateCommand())
        {
            command.CommandText = $"SELECT name, tags, maybe FROM {table} WHERE id = {{id:UInt64}}";
            command.AddParameter("id", 1UL);
            using var reader = await command.ExecuteReaderAsync();
            Assert.True(await reader.ReadAsync());
            Assert.Equal("it's \\ \n\t ünï", reader.GetString(0));
            Assert.Equal(["a", "b"], reader.GetFieldValue<string[]>(1));
            Assert.True(await reader.IsDBNullAsync(2));
            Assert.False(await reader.ReadAsync());
        }

        Assert.Equal(51_000UL, await connection.ExecuteScalarAsync($"SELECT count() FROM {table}"));
        var missing = await Assert.ThrowsAsync<ClickHouseServerException>(() => connection.ExecuteScalarAsync("SELECT * FROM no_such_table"));
        Assert.Equal(60, missing.ErrorCode);
    }

    [Fact]
    public async Task Driver_sees_an_error_after_rows_and_a_wrong_password()
    {
        using var connection = Connect(compression: false, ServerProcess.Password);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT number, throwIf(number = 1000000) AS t FROM numbers(2000000) SETTINGS max_threads = 1, max_block_size = 10000";
        var error = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
            }
        });
        Assert.True(error.ToString().Contains("Code: 395", StringComparison.Ordinal), error.ToString());

        using var wrong = Connect(compression: true, "wrong");
        var refused = await Assert.ThrowsAsync<ClickHouseServerException>(() => wrong.ExecuteScalarAsync("SELECT 1"));
        Assert.Equal(516, refused.ErrorCode);
    }

    private ClickHouseConnection Connect(bool compression, string password) => new(Settings(compression, password));

    private string Settings(bool compression, string password) =>
        $"Host={_server.Url.Host};Port={_server.Url.Port};Protocol=http;Username={ServerProcess.User};Password={password};Compression={compression}";

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments, string? folder = null)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
            Environment = { ["STREAMS_TEST_PASSWORD"] = ServerProcess.Password },
        })!;
        var text = new StringBuilder();
        var errors = process.StandardError.ReadToEndAsync();
        text.Append(await process.StandardOutput.ReadToEndAsync()).Append(await errors);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, text.ToString());
    }
}
