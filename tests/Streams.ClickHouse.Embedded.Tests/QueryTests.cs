using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Streams.ClickHouse.Embedded.Tests;

[Collection(SharedServer.Name)]
public sealed class QueryTests(SharedServer shared)
{
    private readonly ServerProcess _server = shared.Server;

    [Theory]
    [InlineData("/")]
    [InlineData("/ping")]
    [InlineData("/replicas_status")]
    public async Task Health_checks_need_no_credentials(string path)
    {
        using var http = new HttpClient { BaseAddress = _server.Url };
        Assert.Equal("Ok.\n", await http.GetStringAsync(path));
    }

    [Fact]
    public async Task Unknown_path_is_not_found()
    {
        using var response = await _server.Http.GetAsync("/nothing");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Query_in_url_body_or_both()
    {
        Assert.Equal("1\n", await _server.Http.GetStringAsync("/?query=SELECT+1"));
        Assert.Equal("2", await _server.QueryAsync("SELECT 2"));
        Assert.Equal("3", await _server.QueryAsync("3", "query=SELECT"));
        Assert.Equal("4", await _server.QueryAsync("", "query=SELECT%204"));
        Assert.Equal("5", await _server.QueryAsync("-- a comment\n/* and 'another */ SELECT 5; -- the end"));
    }

    [Fact]
    public async Task Headers_are_those_of_ClickHouse()
    {
        using var response = await _server.PostAsync("query_id=my-id", new StringContent("SELECT number FROM numbers(7) FORMAT JSONEachRow"));
        Assert.Equal("my-id", Header(response, "X-ClickHouse-Query-Id"));
        Assert.Equal("JSONEachRow", Header(response, "X-ClickHouse-Format"));
        Assert.Equal(await _server.QueryAsync("SELECT timezone()"), Header(response, "X-ClickHouse-Timezone"));
        Assert.NotEmpty(Header(response, "X-ClickHouse-Server-Display-Name"));
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
        var summary = JsonDocument.Parse(Header(response, "X-ClickHouse-Summary")).RootElement;
        Assert.Equal("7", summary.GetProperty("result_rows").GetString());
        Assert.Equal("0", summary.GetProperty("written_rows").GetString());
    }

    [Fact]
    public async Task Parameters_are_bound_by_the_engine()
    {
        const string hostile = "'; DROP TABLE x; -- \\";
        var value = Uri.EscapeDataString(hostile.Replace("\\", "\\\\"));
        Assert.Equal(hostile, await _server.QueryAsync("SELECT {s:String} FORMAT TSVRaw", $"param_s={value}"));
        Assert.Equal("42\t[1,2]", await _server.QueryAsync("SELECT {n:UInt8} + 1, {a:Array(UInt8)}", "param_n=41&param_a=[1,2]"));
        Assert.Equal("0", await _server.QueryAsync("SELECT {c:Identifier} FROM system.{t:Identifier}", "param_c=dummy&param_t=one"));
        Assert.Contains("Substitution", await _server.ErrorAsync(500, 456, "SELECT {missing:String}"));
    }

    [Fact]
    public async Task Settings_hold_for_one_query_only()
    {
        const string read = "SELECT getSetting('max_block_size'), getSetting('log_comment') LIKE 'mine %'";
        Assert.Equal("777\t1", await _server.QueryAsync(read, "max_block_size=777&log_comment=mine"));
        var others = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _server.QueryAsync(read)));
        Assert.All(others, value => Assert.DoesNotContain("777", value));
    }

    [Theory]
    [InlineData("max_threads=abc", 400, 27)]
    [InlineData("no_such_setting=1", 404, 115)]
    [InlineData("a%3D1%2Cb=1", 404, 115)]
    [InlineData("default_format=TSV'", 400, 36)]
    [InlineData("default_format=NoSuchFormat", 404, 73)]
    [InlineData("database=no_such_database", 404, 81)]
    [InlineData("session_id=s", 500, 344)]
    [InlineData("compress=1", 501, 48)]
    [InlineData("query_id=a%0D%0Ab", 400, 36)]
    public async Task Bad_parameters_have_a_code(string parameters, int status, int code) => await _server.ErrorAsync(status, code, "SELECT 1", parameters);

    [Fact]
    public async Task The_top_n_is_sought_after_the_conditions_unless_a_statement_says_otherwise()
    {
        const string read = "SELECT toBool(getSetting('use_top_k_dynamic_filtering'))";
        Assert.Equal("false", await _server.QueryAsync(read));
        Assert.Equal("true", await _server.QueryAsync(read, "use_top_k_dynamic_filtering=1"));
        Assert.Equal("true", await _server.QueryAsync(read + " SETTINGS use_top_k_dynamic_filtering = 1"));
    }

    [Fact]
    public async Task Values_of_settings_cannot_leave_their_quotes()
    {
        var hostile = Uri.EscapeDataString("x', max_block_size='5\\', max_block_size='5");
        Assert.NotEqual("5", await _server.QueryAsync("SELECT getSetting('max_block_size')", $"log_comment={hostile}"));
        Assert.Equal("system", await _server.QueryAsync("SELECT currentDatabase()", "database=system"));
        await _server.ErrorAsync(404, 81, "SELECT 1", "database=" + Uri.EscapeDataString("a`; DROP TABLE x; --"));
    }

    [Theory]
    [InlineData("SELECT * FROM no_such_table", 404, 60)]
    [InlineData("SELEC 1", 400, 62)]
    [InlineData("1 + 1", 400, 62)]
    [InlineData("", 400, 62)]
    [InlineData("-- nothing", 400, 62)]
    [InlineData("SELECT 1; SELECT 2", 400, 62)]
    [InlineData("SELECT 'open", 400, 62)]
    [InlineData("SELECT no_such_function(1)", 404, 46)]
    [InlineData("SELECT 1 INTO OUTFILE '/tmp/streams-never'", 500, 344)]
    [InlineData("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV", 500, 344)]
    [InlineData("SELECT throwIf(1)", 500, 395)]
    public async Task Errors_have_status_and_code_of_ClickHouse(string sql, int status, int code) => await _server.ErrorAsync(status, code, sql);

    [Fact]
    public async Task A_get_may_not_write()
    {
        using var response = await _server.Http.GetAsync("/?query=CREATE+TABLE+never+(a+UInt8)+ENGINE=Memory");
        await ServerProcess.ErrorAsync(500, 164, response);
        Assert.Equal("0", await _server.QueryAsync("EXISTS TABLE never"));
    }

    [Fact]
    public async Task Format_of_the_query_wins_over_the_default()
    {
        Assert.Equal("1,\"a\"", await _server.QueryAsync("SELECT 1, 'a' FORMAT CSV", "default_format=JSON"));
        Assert.Equal("1,\"a\"", await _server.QueryAsync("SELECT 1, 'a'", "default_format=CSV"));
        Assert.Equal("1,\"a\"", await _server.QueryAsync("SELECT 1, 'a' SETTINGS max_threads = 1 FORMAT CSV"));
        Assert.Equal("1,\"a\"", await _server.QueryAsync("SELECT 1, 'a' FORMAT CSV SETTINGS max_threads = 1"));
        Assert.Equal("3", await _server.QueryAsync("WITH t AS (SELECT 3 AS format) SELECT format FROM t"));
        Assert.Contains("\"rows\": 1", await _server.QueryAsync("SHOW TABLES FROM system LIKE 'one' FORMAT JSON"));
    }

    [Fact]
    public async Task A_long_answer_streams_and_is_whole()
    {
        using var response = await _server.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StringContent("SELECT number FROM numbers(3000000) ORDER BY number FORMAT RowBinaryWithNames") },
            HttpCompletionOption.ResponseHeadersRead);
        Assert.Null(response.Content.Headers.ContentLength);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        var header = "\u0001\u0006number".Length;
        Assert.Equal(header + (8 * 3_000_000), bytes.Length);
        Assert.Equal(2_999_999UL, BitConverter.ToUInt64(bytes, bytes.Length - 8));
    }

    [Fact]
    public async Task Waiting_for_the_end_turns_a_late_error_into_a_status()
    {
        const string sql = "SELECT number, throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_threads = 1, max_block_size = 1000";
        using var late = await _server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StringContent(sql) }, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, late.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => late.Content.ReadAsByteArrayAsync());
        await _server.ErrorAsync(500, 395, sql, "wait_end_of_query=1");
        Assert.Equal(6_888_889, (await _server.QueryAsync("SELECT number FROM numbers(1000000)", "wait_end_of_query=1")).Length);
    }

    [Theory]
    [InlineData("Basic", "streams:wrong")]
    [InlineData("Basic", "nobody:pass:word ü")]
    [InlineData("Bearer", "streams:pass:word ü")]
    public async Task Wrong_credentials_are_refused(string scheme, string credentials)
    {
        using var http = new HttpClient { BaseAddress = _server.Url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(scheme, Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(credentials)));
        using var response = await http.PostAsync("/", new StringContent("SELECT 1"));
        await ServerProcess.ErrorAsync(403, 516, response);
    }

    [Fact]
    public async Task Credentials_in_headers_or_url_but_not_both()
    {
        using var http = new HttpClient { BaseAddress = _server.Url };
        var parameters = $"user={ServerProcess.User}&password={Uri.EscapeDataString(ServerProcess.Password)}";
        Assert.Equal("1\n", await http.GetStringAsync($"/?query=SELECT+1&{parameters}"));
        await ServerProcess.ErrorAsync(403, 516, await http.GetAsync("/?query=SELECT+1"));
        http.DefaultRequestHeaders.Add("X-ClickHouse-User", ServerProcess.User);
        await ServerProcess.ErrorAsync(403, 516, await http.GetAsync("/?query=SELECT+1"));
        await ServerProcess.ErrorAsync(403, 516, await http.GetAsync($"/?query=SELECT+1&{parameters}"));
    }

    [Fact]
    public async Task A_query_of_half_a_megabyte_is_read_and_a_larger_url_refused()
    {
        var list = string.Join(',', Enumerable.Range(100000, 80000));
        Assert.Equal("80000", await _server.QueryAsync($"SELECT length([{list}])", "max_query_size=1000000"));
        using var response = await _server.Http.GetAsync("/?query=SELECT+" + new string('1', 1_100_000));
        Assert.Equal(HttpStatusCode.RequestUriTooLong, response.StatusCode);
    }

    private static string Header(HttpResponseMessage response, string name) => Assert.Single(response.Headers.GetValues(name));
}
