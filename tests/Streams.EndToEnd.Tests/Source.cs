using System.Diagnostics;
using System.Globalization;
using Streams.Checker.Journals;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>The chaos harness's synthetic agent: real link, real spool, and a journal of every event that it emits.</summary>
internal sealed class Source : IDisposable
{
    private Up _up;
    private readonly string _id;
    private readonly string _directory;
    private readonly Process _process;

    private Source(Up up, string id, string directory, Process process)
    {
        _up = up;
        _id = id;
        _directory = directory;
        _process = process;
    }

    /// <summary>Lets it in and starts it.</summary>
    /// <param name="rate">Events a second.</param>
    public static async Task<Source> StartAsync(Up up, string id, string directory, int rate)
    {
        Directory.CreateDirectory(directory);
        var created = await Run.HostAsync("keys", "create-agent", id, "--key-file", Path.Combine(directory, "agent.key"),
            "--data", up.Data);
        Assert.True(created.Code == 0, created.ToString());
        var keys = (await Run.HostAsync("keys", "--data", up.Data)).Output;
        var root = keys.Split('\n').First(line => line.StartsWith("fleet root", StringComparison.Ordinal))["fleet root".Length..].Trim();
        var start = new ProcessStartInfo(
            "dotnet",
            [
                Path.Combine(Repository.Root, Run.Bench), "source", "--id", id, "--directory", directory,
                "--gateway", new Uri(up.Endpoints.Gateway).GetLeftPart(UriPartial.Authority), "--root", root,
                "--rate", rate.ToString(CultureInfo.InvariantCulture),
            ])
        {
            RedirectStandardOutput = true,
        };
        return new Source(up, id, directory, Process.Start(start)!);
    }

    /// <summary>The instance was started again.</summary>
    public void Follow(Up up) => _up = up;

    /// <summary>Returns when rows of events that are emitted from now on are stored.</summary>
    public async Task RowsArriveAsync(string when, TimeSpan deadline)
    {
        var mark = Journal().Kept;
        await Eventually.TrueAsync(
            async () => await _up.TryQueryAsync($"SELECT max(seq) > {mark} FROM network_connect WHERE agent_id = '{_id}'") == "1",
            $"rows arrive {when}", deadline);
    }

    /// <summary>Ends the emission; returns when everything is committed.</summary>
    public async Task DrainAsync(TimeSpan deadline)
    {
        Up.Signal("TERM", _process.Id);
        await _process.WaitForExitAsync().WaitAsync(deadline);
        Assert.True(_process.ExitCode == 0, await _process.StandardOutput.ReadToEndAsync());
    }

    /// <summary>What the tables say about what it emitted.</summary>
    public async Task<JournalVerdict> JudgeAsync()
    {
        var endpoints = _up.Endpoints;
        var password = (await File.ReadAllTextAsync(endpoints.ClickHousePasswordFile)).Trim();
        using var checker = new JournalChecker(
            new Uri(endpoints.ClickHouse), endpoints.ClickHouseUser, password, "streams", "network_connect", "socket_cookie");
        return await checker.CheckAsync(_id, [Journal()]);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
        _process.Dispose();
    }

    // One process: one incarnation, once it has written its first line.
    private Incarnation Journal()
    {
        var file = Path.Combine(_directory, "journal");
        return File.Exists(file) && JournalFile.Read(file) is [var only] ? only : new Incarnation { SensorEpoch = 0 };
    }
}
