using System.Net.Http.Headers;
using System.Text;
using Streams.Local;
using Xunit;

namespace Streams.Testing;

/// <summary>A real streams-clickhouse of one test or one collection: its own directory, password and port.</summary>
public sealed class ClickHouseProcess : IAsyncLifetime, IAsyncDisposable
{
    private readonly TempDirectory _directory = new("clickhouse");
    private HttpClient? _http;
    private ClickHouseServer? _server;
    private Credentials? _credentials;

    /// <summary>http://127.0.0.1:port/; the port stays the same over restarts.</summary>
    public Uri Url => Server.Url;

    public ClickHouseServer Server => _server ?? throw new InvalidOperationException("streams-clickhouse does not run.");

    public string User => Credentials.ClickHouseUser;

    public string Password => (_credentials ?? throw new InvalidOperationException("streams-clickhouse was not started.")).ClickHousePassword();

    /// <summary>For ClickHouse.Driver.</summary>
    public string ConnectionString => $"Host={Url.Host};Port={Url.Port};Protocol=http;Username={User};Password={Password}";

    /// <summary>Variables that it is started with.</summary>
    public Dictionary<string, string?> Environment { get; } = [];

    /// <summary>The engine's directory.</summary>
    public string Store => _directory.File("data");

    public static async Task<ClickHouseProcess> StartAsync()
    {
        var process = new ClickHouseProcess();
        await process.InitializeAsync().ConfigureAwait(false);
        return process;
    }

    public async Task InitializeAsync()
    {
        _credentials = Credentials.Open(Directory.CreateDirectory(_directory.File("keys")).FullName);
        await LaunchAsync(Ports.Free()).ConfigureAwait(false);
        _http = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromMinutes(2) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}")));
    }

    /// <summary>Runs one statement over plain HTTP and returns the body without its last line feed; an error of the engine fails the
    /// test with its text.</summary>
    public async Task<string> QueryAsync(string sql)
    {
        using var response = await _http!.PostAsync("/", new StringContent(sql)).ConfigureAwait(false);
        var body = await response.Content.ReadAsStringAsync().ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            Assert.Fail($"{(int)response.StatusCode} for {sql}: {body}");
        return body.TrimEnd('\n');
    }

    /// <summary>SIGKILL: what a crash does.</summary>
    public async Task KillAsync()
    {
        Server.Process.Kill();
        await Server.Process.Exited.ConfigureAwait(false);
    }

    /// <summary>SIGTERM: an orderly stop.</summary>
    public Task<ChildExit> StopAsync() => Server.StopAsync();

    /// <summary>Starts it again on the same port and the same data, after ending it if it runs.</summary>
    public async Task RestartAsync()
    {
        var port = Server.Options.Port;
        await Server.DisposeAsync().ConfigureAwait(false);
        await LaunchAsync(port).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_server is not null)
        {
            await _server.StopAsync().ConfigureAwait(false);
            await _server.DisposeAsync().ConfigureAwait(false);
        }

        _directory.Dispose();
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    private async Task LaunchAsync(int port) => _server = await ClickHouseServer.StartAsync(
        new ClickHouseServerOptions
        {
            Program = Repository.Program("storage/Streams.ClickHouse.Embedded", ClickHouseServer.ProgramName),
            DataDirectory = Store,
            LogPath = _directory.File("log/streams-clickhouse.log"),
            Port = port,
            Environment = Environment,
        },
        _credentials!).ConfigureAwait(false);
}
