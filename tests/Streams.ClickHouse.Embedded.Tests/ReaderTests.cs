using System.Net.Http.Headers;
using System.Text;
using Streams.Testing;

namespace Streams.ClickHouse.Embedded.Tests;

/// <summary>What a user who may only read can do, and all that it cannot.</summary>
public sealed class ReaderTests : IAsyncLifetime
{
    private const int ReadOnly = 164;
    private const int AccessDenied = 497;

    private readonly TempDirectory _directory = new("reader");
    private ServerProcess _server = null!;
    private HttpClient _reader = null!;

    public async Task InitializeAsync()
    {
        var password = _directory.File("reader.password");
        await File.WriteAllTextAsync(password, "only reads\n");
        File.SetUnixFileMode(password, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _server = await ServerProcess.StartAsync(_directory, "--reader", "reader", "--reader-password-file", password);
        _reader = new HttpClient { BaseAddress = _server.Url };
        _reader.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("reader:only reads")));
        await _server.QueryAsync("CREATE DATABASE streams");
        await _server.QueryAsync("CREATE TABLE streams.t (a UInt64, file String) ENGINE = MergeTree ORDER BY a");
        await _server.QueryAsync("INSERT INTO streams.t VALUES (1, 'x')");
    }

    public async Task DisposeAsync()
    {
        _reader.Dispose();
        await _server.StopAsync();
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task It_reads()
    {
        Assert.Equal("1", await ReadAsync("SELECT count() FROM streams.t"));
        Assert.Equal("x", await ReadAsync("WITH 1 AS one SELECT file FROM t WHERE a = one", "database=streams"));
        Assert.Equal("x\t1", await ReadAsync("SELECT file, {n:UInt8} FROM streams.t", "param_n=1"));
        Assert.Equal("{\"a\":\"1\"}", await ReadAsync("SELECT a FROM streams.t FORMAT JSONEachRow", "output_format_json_quote_64bit_integers=1&max_execution_time=30"));
        Assert.Equal("t", await ReadAsync("SHOW TABLES FROM streams"));
        Assert.Equal("t", await ReadAsync("SELECT name FROM system.tables WHERE database = 'streams'"));
        Assert.StartsWith("a\tUInt64", await ReadAsync("DESCRIBE TABLE streams.t"));
        Assert.Equal("system.users file('x') €", await ReadAsync("SELECT 'system.users file(''x'') €' FORMAT TSVRaw -- KILL QUERY"));
        Assert.Equal("1", await ReadAsync("SELECT uniq(n) FROM (SELECT number AS n FROM numbers(1))"));
    }

    [Theory]
    [InlineData(ReadOnly, "INSERT INTO streams.t VALUES (2, '')")]
    [InlineData(ReadOnly, "WITH x AS (SELECT 1) INSERT INTO streams.t SELECT 1, ''")]
    [InlineData(ReadOnly, "DROP TABLE streams.t")]
    [InlineData(ReadOnly, "TRUNCATE TABLE streams.t")]
    [InlineData(ReadOnly, "ALTER TABLE streams.t DELETE WHERE 1")]
    [InlineData(ReadOnly, "CREATE TABLE streams.u (a UInt8) ENGINE = Memory")]
    [InlineData(ReadOnly, "CREATE TEMPORARY TABLE u (a UInt8)")]
    [InlineData(ReadOnly, "SYSTEM FLUSH LOGS")]
    [InlineData(ReadOnly, "KILL QUERY WHERE 1")]
    [InlineData(ReadOnly, "SET readonly = 0")]
    [InlineData(ReadOnly, "BACKUP TABLE streams.t TO File('x')")]
    [InlineData(ReadOnly, "SELECT 1 SETTINGS additional_result_filter = 'file(''/etc/hostname'') != '''''")]
    [InlineData(AccessDenied, "SELECT file('/etc/hostname')")]
    [InlineData(AccessDenied, "SELECT `file` /* */ ('/etc/hostname')")]
    [InlineData(AccessDenied, "SELECT `fil\\x65`('/etc/hostname')")]
    [InlineData(AccessDenied, "SELECT “file”('/etc/hostname')")]
    [InlineData(AccessDenied, "SELECT * FROM FILE('/etc/hostname', 'LineAsString')")]
    [InlineData(AccessDenied, "DESCRIBE file('/etc/hostname')")]
    [InlineData(AccessDenied, "SELECT * FROM merge('system', 'processes')")]
    [InlineData(AccessDenied, "SELECT * FROM system.processes")]
    [InlineData(AccessDenied, "SELECT * FROM \"system\" . `users`")]
    [InlineData(AccessDenied, "SELECT * FROM system.named_collections")]
    [InlineData(AccessDenied, "SELECT * FROM system.query_log")]
    [InlineData(AccessDenied, "SHOW PROCESSLIST")]
    [InlineData(AccessDenied, "SHOW GRANTS")]
    [InlineData(AccessDenied, "SELECT * FROM {d:Identifier}.{t:Identifier}")]
    public async Task It_cannot(int code, string sql)
    {
        using var answer = await _reader.PostAsync("/?param_d=system&param_t=processes", new StringContent(sql));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.False(answer.IsSuccessStatusCode, text);
        Assert.StartsWith($"Code: {code}. ", text, StringComparison.Ordinal);
        Assert.Equal("1", await _server.QueryAsync("SELECT count() FROM streams.t"));
    }

    [Theory]
    [InlineData("SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')")]
    [InlineData("SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')")]
    [InlineData("SELECT * FROM executable('id', 'TSV', 'a String')")]
    [InlineData("SELECT * FROM '/etc/hostname'")]
    [InlineData("SELECT * FROM default.`/etc/hostname`")]
    [InlineData("SELECT * FROM sqlite('/tmp/x', 'y')")]
    public async Task It_reaches_neither_files_nor_hosts_nor_programs(string sql)
    {
        using var answer = await _reader.PostAsync("/?database=default", new StringContent(sql));
        Assert.False(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("readonly=0")]
    [InlineData("additional_result_filter=file('/etc/hostname')!=''")]
    [InlineData("format_template_row=/etc/hostname")]
    [InlineData("output_format_schema=/tmp/x")]
    [InlineData("allow_introspection_functions=1")]
    [InlineData("database=system")]
    public async Task It_sets_nothing_that_reaches_further(string parameters)
    {
        using var answer = await _reader.PostAsync("/?" + parameters, new StringContent("SELECT * FROM streams.t"));
        Assert.False(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_wrong_password_is_refused_and_options_go_together()
    {
        using var other = new HttpClient { BaseAddress = _server.Url };
        other.DefaultRequestHeaders.Add("X-ClickHouse-User", "reader");
        other.DefaultRequestHeaders.Add("X-ClickHouse-Key", "wrong");
        using var answer = await other.PostAsync("/", new StringContent("SELECT 1"));
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, answer.StatusCode);
        var (code, _, errors) = await ServerProcess.RunAsync("--data", _directory.File("other"), "--reader", "reader");
        Assert.NotEqual(0, code);
        Assert.Contains("--reader-password-file", errors);
    }

    private async Task<string> ReadAsync(string sql, string parameters = "")
    {
        using var answer = await _reader.PostAsync("/?" + parameters, new StringContent(sql));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return text.TrimEnd('\n');
    }
}
