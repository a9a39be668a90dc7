using System.Diagnostics;
using System.Globalization;
using Streams.Local;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>A `streams up` of one test, as its user starts and stops it.</summary>
internal sealed class Up : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private Up(Process process, string data)
    {
        _process = process;
        Data = data;
    }

    public string Data { get; }

    public int Pid => _process.Id;

    /// <summary>As the file says now.</summary>
    public Endpoints Endpoints => Endpoints.Read(Data);

    /// <summary>On ports that nobody falls back to: they must still be free after a kill.</summary>
    public static Task<Up> StartAsync(string data, params string[] options) =>
        StartAsync(data, Ports.Free(), Ports.Free(), Ports.Free(), Ports.Free(), options);

    /// <summary>With this program as its agent.</summary>
    public static Task<Up> StartWithAgentAsync(string data, string program, params string[] options) =>
        StartAsync(data, Ports.Free(), Ports.Free(), Ports.Free(), Ports.Free(), options, program);

    /// <summary>On the data and the ports of one that was stopped.</summary>
    public static Task<Up> StartAgainAsync(string data, Endpoints before, params string[] options) => StartAsync(
        data, new Uri(before.Gateway).Port, new Uri(before.Operator).Port, new Uri(before.ClickHouse).Port,
        new Uri(before.Nats).Port, options);

    private static async Task<Up> StartAsync(string data, int gateway, int operatorPort, int clickHouse, int nats, string[] options, string? agent = null)
    {
        string[] ports = [
            "--gateway-port", Text(gateway), "--operator-port", Text(operatorPort),
            "--clickhouse-port", Text(clickHouse), "--nats-port", Text(nats),
        ];
        var start = new ProcessStartInfo("dotnet", [Path.Combine(Repository.Root, Run.Host), "up", "--data", data, "--plain", .. ports, .. options])
        {
            RedirectStandardOutput = true,
        };
        if (agent is not null)
        {
            start.Environment["STREAMS_AGENT_PROGRAM"] = agent;
        }
        var process = Process.Start(start)!;
        var up = new Up(process, data);
        await Eventually.TrueAsync(
            () => process.HasExited || File.Exists(Path.Combine(data, "run", "endpoints.json")), "up is ready", StartDeadline);
        Assert.False(process.HasExited, "up ended");
        return up;
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    public ChildStatus Status(string child) => Endpoints.Statuses.Single(status => status.Name == child);

    /// <summary>SIGKILL to a child; returns its pid when it is gone.</summary>
    public int Kill(string child)
    {
        var pid = Endpoints.Children[child];
        using var process = Process.GetProcessById(pid);
        process.Kill();
        process.WaitForExit();
        return pid;
    }

    /// <summary>
    /// Kills nats-server and moves its store away before it is started again, which the supervisor would do within milliseconds: a store that goes while the server
    /// has it open is another fault.
    /// </summary>
    public void LoseQueue(string to)
    {
        Signal("STOP", Pid);
        try
        {
            // Not waited for: only its parent can take note of its end.
            Signal("KILL", Endpoints.Children["nats-server"]);
            Directory.Move(Path.Combine(Data, "nats", "jetstream"), to);
        }
        finally
        {
            Signal("CONT", Pid);
        }
    }

    /// <summary>SIGKILL to a child, and back when it runs under another pid.</summary>
    public async Task KillAsync(string child)
    {
        var pid = Kill(child);
        await Eventually.TrueAsync(
            () => Endpoints.Children.TryGetValue(child, out var now) && now != pid, $"{child} runs again", TimeSpan.FromSeconds(30));
    }

    /// <summary>The first value of a query; null while ClickHouse does not answer it.</summary>
    public async Task<string?> TryQueryAsync(string query)
    {
        var endpoints = Endpoints;
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoints.ClickHouse + "?database=streams")
        {
            Content = new StringContent(query),
        };
        request.Headers.Add("X-ClickHouse-User", endpoints.ClickHouseUser);
        request.Headers.Add("X-ClickHouse-Key", (await File.ReadAllTextAsync(endpoints.ClickHousePasswordFile)).Trim());
        try
        {
            using var answer = await _http.SendAsync(request);
            return answer.IsSuccessStatusCode ? (await answer.Content.ReadAsStringAsync()).Split('\n')[0] : null;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    /// <summary>What /healthz says; empty while nobody answers.</summary>
    public async Task<string> HealthAsync()
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(new Uri(Endpoints.Operator), "healthz"));
            return await answer.Content.ReadAsStringAsync();
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return "";
        }
    }

    public string Log(string child) => File.ReadAllText(Path.Combine(Data, "log", child + ".log"));

    /// <summary>Sends a signal by name, as TERM, to a process.</summary>
    public static void Signal(string name, int pid)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{pid}"]);
        kill.WaitForExit();
    }

    /// <summary>The exit code; SIGTERM first if it still runs and nobody has asked it.</summary>
    public async Task<int> StopAsync()
    {
        if (!_process.HasExited)
        {
            Signal("TERM", Pid);
        }
        return await WaitAsync(StopDeadline);
    }

    public async Task<int> WaitAsync(TimeSpan deadline)
    {
        await _process.WaitForExitAsync().WaitAsync(deadline);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal("TERM", Pid);
            await _process.WaitForExitAsync().WaitAsync(StopDeadline);
        }
        _process.Dispose();
        _http.Dispose();
    }
}
