using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Streams.ClickHouse.Embedded.Tests;

[Collection(SharedServer.Name)]
public sealed class InsertTests(SharedServer shared)
{
    private readonly ServerProcess _server = shared.Server;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_byte_value_survives(bool queryInUrl)
    {
        var table = $"bytes_{queryInUrl}";
        await _server.QueryAsync($"CREATE TABLE {table} (id UInt64, s String) ENGINE = MergeTree ORDER BY id");
        // Each byte alone, in a row of all, and in front of what ends statements and lines.
        var values = Enumerable.Range(0, 256).Select(b => new[] { (byte)b })
            .Append([.. Enumerable.Range(0, 256).Select(b => (byte)b)])
            .Append("\n;\r\n'\\\0-- /* \u0004"u8.ToArray())
            .ToArray();
        var block = new NativeBlock(values.Length).UInt64("id", i => (ulong)i).String("s", i => values[i]).ToArray();
        var sql = $"INSERT INTO {table} (id, s) FORMAT Native";
        using var response = queryInUrl
            ? await _server.PostAsync("query=" + Uri.EscapeDataString(sql), new ByteArrayContent(block))
            : await _server.PostAsync("", new ByteArrayContent([.. Encoding.UTF8.GetBytes(sql + "\n"), .. block]));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        Assert.Equal((ulong)values.Length, WrittenRows(response));

        using var read = await _server.PostAsync("", new StringContent($"SELECT s FROM {table} ORDER BY id FORMAT RowBinary"));
        var expected = values.SelectMany(value => (byte[])[.. value.Length < 128 ? [(byte)value.Length] : (byte[])[(byte)((value.Length & 0x7F) | 0x80), (byte)(value.Length >> 7)], .. value]);
        Assert.Equal(expected, await read.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_repeated_insert_under_one_token_adds_nothing()
    {
        await _server.QueryAsync("CREATE TABLE repeated (id UInt64, s String) ENGINE = MergeTree ORDER BY id PARTITION BY id % 150 SETTINGS non_replicated_deduplication_window = 10000");
        var block = new NativeBlock(30_000).UInt64("id", i => (ulong)i).String("s", i => [(byte)i]).ToArray();
        const string settings = "async_insert=0&insert_deduplicate=1&deduplicate_insert=enable&max_partitions_per_insert_block=1000&insert_deduplication_token=";
        for (var attempt = 0; attempt < 3; attempt++)
            await InsertAsync("repeated", block, settings + "one");
        Assert.Equal("30000", await _server.QueryAsync("SELECT count() FROM repeated"));
        await InsertAsync("repeated", block, settings + "two");
        Assert.Equal("60000", await _server.QueryAsync("SELECT count() FROM repeated"));
    }

    [Fact]
    public async Task Settings_in_the_statement_are_heard_too()
    {
        await _server.QueryAsync("CREATE TABLE clause (id UInt64) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100");
        for (var attempt = 0; attempt < 2; attempt++)
            await _server.QueryAsync("INSERT INTO clause (id) SETTINGS async_insert=0, insert_deduplicate=1, deduplicate_insert='enable', insert_deduplication_token='FORMAT' FORMAT TSV\n1\n2\n");
        for (var attempt = 0; attempt < 2; attempt++)
            await _server.QueryAsync("INSERT INTO clause SETTINGS insert_deduplicate=1, deduplicate_insert='enable', insert_deduplication_token='v' VALUES (3), (4)");
        Assert.Equal("4", await _server.QueryAsync("SELECT count() FROM clause"));
        await _server.QueryAsync("CREATE TABLE many (id UInt64) ENGINE = MergeTree ORDER BY id PARTITION BY id");
        await _server.ErrorAsync(500, 252, "INSERT INTO many SETTINGS max_partitions_per_insert_block=2 VALUES (1), (2), (3)");
    }

    [Fact]
    public async Task A_body_of_more_than_64_mebibytes_goes_in_at_once()
    {
        const int rows = 4_000_000;
        await _server.QueryAsync("CREATE TABLE large (id UInt64, s String) ENGINE = MergeTree ORDER BY id");
        var block = new NativeBlock(rows).UInt64("id", i => (ulong)i).String("s", i => BitConverter.GetBytes((ulong)i * 0x9E3779B97F4A7C15UL)).ToArray();
        Assert.True(block.Length > 64 << 20);
        Assert.Equal((ulong)rows, await InsertAsync("large", block, ""));
        Assert.Equal($"{rows}\t{(ulong)rows * (rows - 1) / 2}", await _server.QueryAsync("SELECT count(), sum(id) FROM large"));
        await _server.QueryAsync("DROP TABLE large SYNC").WaitAsync(TimeSpan.FromSeconds(10)); // waits for ever in libchdb itself
        Assert.Equal("0", await _server.QueryAsync("EXISTS TABLE large"));
    }

    [Fact]
    public async Task Rows_may_stand_in_the_url_and_in_the_body()
    {
        await _server.QueryAsync("CREATE TABLE texts (id UInt64, s String) ENGINE = Memory");
        await _server.QueryAsync("(2, 'b'),\n(3, 'c;');", "query=" + Uri.EscapeDataString("INSERT INTO texts VALUES (1, 'a\n'), "));
        await _server.QueryAsync("{\"id\":4,\"s\":\"d\"}\n{\"id\":5,\"s\":\"e\"}\n", "query=" + Uri.EscapeDataString("INSERT INTO default.texts FORMAT JSONEachRow"));
        await _server.QueryAsync("INSERT INTO texts VALUES ({i:UInt64}, {s:String})", "param_i=6&param_s=f");
        await _server.QueryAsync("7\tg\n", "param_t=texts&query=" + Uri.EscapeDataString("INSERT INTO {t:Identifier} (id, s) FORMAT TSV"));
        await _server.QueryAsync("INSERT INTO texts SELECT 8, 'h'");
        await _server.QueryAsync("INSERT INTO FUNCTION null('id UInt64') FORMAT TSV\n1\n");
        Assert.Equal("8\ta\\nbc;defgh", await _server.QueryAsync("SELECT count(), arrayStringConcat(groupArray(s)) FROM (SELECT * FROM texts ORDER BY id)"));
    }

    [Fact]
    public async Task Rows_that_do_not_fit_are_an_error_and_nothing_is_written()
    {
        await _server.QueryAsync("CREATE TABLE strict (id UInt64) ENGINE = MergeTree ORDER BY id");
        await _server.ErrorAsync(400, 27, "1\nx\n", "query=INSERT+INTO+strict+FORMAT+TSV");
        await _server.ErrorAsync(404, 60, "1\n", "query=INSERT+INTO+no_such_table+FORMAT+TSV");
        await _server.ErrorAsync(404, 73, "1\n", "query=INSERT+INTO+strict+FORMAT+NoSuchFormat");
        using var cut = await _server.PostAsync("query=INSERT+INTO+strict+FORMAT+Native", new ByteArrayContent(new NativeBlock(100).UInt64("id", i => (ulong)i).ToArray()[..400]));
        Assert.False(cut.IsSuccessStatusCode);
        Assert.Equal("0", await _server.QueryAsync("SELECT count() FROM strict"));
    }

    [Fact]
    public async Task A_comment_in_front_is_seen_in_system_processes()
    {
        await _server.QueryAsync("CREATE TABLE marked (id UInt64, slow UInt8 DEFAULT sleepEachRow(0.05)) ENGINE = MergeTree ORDER BY id");
        var insert = _server.QueryAsync("/* ingest owner-7 12 */ INSERT INTO marked (id) SELECT number FROM numbers(400) SETTINGS max_block_size = 10, function_sleep_max_microseconds_per_block = 100000000");
        var rows = _server.PostAsync(
            "query=" + Uri.EscapeDataString("/* ingest owner-7 13 */ INSERT INTO marked (id) FORMAT TSV") + "&function_sleep_max_microseconds_per_block=100000000",
            new StringContent(string.Concat(Enumerable.Range(0, 400).Select(i => $"{i}\n"))));
        await Testing.Eventually.ValueAsync(
            () => _server.QueryAsync("SELECT count() FROM system.processes WHERE query LIKE '/* ingest owner-7 12 */ INSERT%' OR query LIKE '/* ingest owner-7 13 */ INSERT%'"),
            count => count == "2", "both inserts are seen");
        await _server.QueryAsync("KILL QUERY WHERE query LIKE '/* ingest owner-7 %' SYNC");
        await Assert.ThrowsAnyAsync<Exception>(() => insert);
        using var killed = await rows;
        await ServerProcess.ErrorAsync(500, 394, killed);
    }

    [Fact]
    public async Task Requests_at_the_same_time_do_not_mix()
    {
        await _server.QueryAsync("CREATE TABLE mixed (worker UInt64, id UInt64) ENGINE = MergeTree ORDER BY (worker, id)");
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async worker =>
        {
            for (var i = 0; i < 10; i++)
            {
                var block = new NativeBlock(1000).UInt64("worker", _ => (ulong)worker).UInt64("id", row => (ulong)((i * 1000) + row)).ToArray();
                Assert.Equal(1000UL, await InsertAsync("mixed", block, $"max_threads={1 + (worker % 2)}"));
                Assert.Equal($"{worker}\t{i}", await _server.QueryAsync("SELECT {w:UInt32}, {i:UInt32}", $"param_w={worker}&param_i={i}"));
            }
        }));
        Assert.Equal("12\t10000\t10000", await _server.QueryAsync("SELECT count(), min(n), max(u) FROM (SELECT count() AS n, uniqExact(id) AS u FROM mixed GROUP BY worker)"));
    }

    private async Task<ulong> InsertAsync(string table, byte[] native, string parameters)
    {
        using var response = await _server.PostAsync($"query=INSERT+INTO+{table}+FORMAT+Native&{parameters}", new ByteArrayContent(native));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return WrittenRows(response);
    }

    private static ulong WrittenRows(HttpResponseMessage response) => ulong.Parse(
        JsonDocument.Parse(Assert.Single(response.Headers.GetValues("X-ClickHouse-Summary"))).RootElement.GetProperty("written_rows").GetString()!,
        CultureInfo.InvariantCulture);
}
