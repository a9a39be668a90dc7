using Streams.Local;

namespace Streams.Bench.Running;

/// <summary>A real `streams up` in a directory of its own: what a user starts, not a copy of it.</summary>
internal sealed class UpProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(90);

    private readonly ChildProcess _process;
    private readonly string _log;
    private int _stopped;

    private UpProcess(ChildProcess process, string log, Endpoints endpoints)
    {
        _process = process;
        _log = log;
        Endpoints = endpoints;
    }

    public Endpoints Endpoints { get; }

    /// <summary>Starts `up` on free ports and returns when its endpoints are written.</summary>
    /// <exception cref="BenchFailure">It ended or was not ready in time; the message has its last line.</exception>
    public static async Task<UpProcess> StartAsync(string data, string log, IReadOnlyList<string> options, CancellationToken stop)
    {
        var host = RepositoryPrograms.Host();
        var process = ChildProcess.Start(new ChildOptions
        {
            Name = "streams up",
            FileName = "dotnet",
            Arguments = [host, "up", "--data", data, "--plain", .. options],
            LogPath = log,
        });
        try
        {
            var until = DateTime.UtcNow + StartDeadline;
            while (!process.Exited.IsCompleted)
            {
                if (TryRead(data, process.Id) is { } endpoints)
                {
                    return new UpProcess(process, log, endpoints);
                }
                if (DateTime.UtcNow > until)
                {
                    throw new BenchFailure($"streams up was not ready within {StartDeadline.TotalSeconds:0} s; see {log}");
                }
                await Task.Delay(100, stop);
            }
            throw new BenchFailure((await process.Exited).ToString());
        }
        catch
        {
            await process.StopAsync(StopDeadline);
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops it as Ctrl-C would, once.</summary>
    /// <exception cref="BenchFailure">It did not end by itself with exit code 0.</exception>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) == 0)
        {
            var exit = await _process.StopAsync(StopDeadline);
            if (exit.Code is not (0 or 143))
            {
                throw new BenchFailure($"{exit}; log: {_log}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) == 0)
        {
            await _process.StopAsync(StopDeadline);
        }
        await _process.DisposeAsync();
    }

    private static Endpoints? TryRead(string data, int pid)
    {
        try
        {
            var endpoints = Endpoints.Read(data);
            return endpoints.Pid == pid ? endpoints : null;
        }
        catch (LocalException)
        {
            return null;
        }
    }
}
