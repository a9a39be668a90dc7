using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using Streams.Testing;

namespace Streams.ClickHouse.Embedded.Tests;

/// <summary>
/// The built program with options of the test's choice. (<see cref="ClickHouseProcess"/> is for tests that need a ClickHouse;
/// here the program itself is what is tested: its exit codes, its options, its lines.)
/// </summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    public const string User = "streams";
    public const string Password = "pass:word ü";
    private const int SIGTERM = 15;
    private const int SIGKILL = 9;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    private ServerProcess(Process process) => _process = process;

    public static string Program { get; } = Repository.Program("storage/Streams.ClickHouse.Embedded", "streams-clickhouse");

    public Uri Url { get; private set; } = new("http://127.0.0.1:0/");

    public HttpClient Http { get; private set; } = new();

    public int Id => _process.Id;

    /// <summary>Writes a user file beside the data and starts; returns when the program listens.</summary>
    public static async Task<ServerProcess> StartAsync(TempDirectory directory, params string[] more)
    {
        var users = directory.File("users");
        if (!File.Exists(users))
        {
            await File.WriteAllTextAsync(users, $"{User}:{Password}\n");
            File.SetUnixFileMode(users, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var server = new ServerProcess(Launch(["--data", directory.File("data"), "--listen", "127.0.0.1:0", "--user-file", users, .. more]));
        await server.WaitUntilReadyAsync();
        return server;
    }

    /// <summary>Runs the program to its end: for command lines that must fail.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using var process = Launch(arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(StartLimit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            Assert.Fail($"streams-clickhouse {string.Join(' ', arguments)} did not end");
        }

        return (process.ExitCode, await output, await errors);
    }

    public async Task<string> QueryAsync(string sql, string parameters = "")
    {
        using var response = await PostAsync(parameters, new StringContent(sql));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode} for {sql}: {text}");
        return text.TrimEnd('\n');
    }

    public Task<HttpResponseMessage> PostAsync(string parameters, HttpContent body) => Http.PostAsync(parameters.Length > 0 ? "/?" + parameters : "/", body);

    /// <summary>The body of an error, after its status and its code are as expected.</summary>
    public async Task<string> ErrorAsync(int status, int code, string sql, string parameters = "")
    {
        using var response = await PostAsync(parameters, new StringContent(sql));
        return await ErrorAsync(status, code, response);
    }

    public static async Task<string> ErrorAsync(int status, int code, HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode} instead of {status}: {text}");
        Assert.Equal(code.ToString(CultureInfo.InvariantCulture), Assert.Single(response.Headers.GetValues("X-ClickHouse-Exception-Code")));
        Assert.StartsWith($"Code: {code}. DB::Exception: ", text);
        return text;
    }

    public async Task KillAsync()
    {
        Assert.Equal(0, kill(_process.Id, SIGKILL));
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM; the exit code of the process, which must come within the limit of a supervisor.</summary>
    public async Task<int> StopAsync()
    {
        Assert.Equal(0, kill(_process.Id, SIGTERM));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static Process Launch(string[] arguments) => Process.Start(new ProcessStartInfo(Program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private async Task WaitUntilReadyAsync()
    {
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
                _errors.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(StartLimit);
        var line = await _process.StandardOutput.ReadLineAsync(limit.Token);
        Assert.True(line?.StartsWith("listening on ", StringComparison.Ordinal), $"instead of its ready line: {line}; errors: {Errors}");
        Url = new Uri(line!["listening on ".Length..]);
        Http = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromMinutes(2) };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}")));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
