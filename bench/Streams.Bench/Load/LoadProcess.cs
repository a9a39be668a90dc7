using System.Globalization;
using System.Text.Json;
using Streams.Bench.Running;
using Streams.Local;

namespace Streams.Bench.Load;

/// <summary>The harness's end of one load process.</summary>
internal sealed class LoadProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    /// <summary>After it has said that it is done it has nothing to do but to close its sessions.</summary>
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(3);

    private readonly LoadSpec _spec;
    private readonly ChildProcess _process;
    private readonly TaskCompletionSource<LoadStatus> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<LoadStatus> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile LoadStatus _status = new() { State = "starting" };

    private LoadProcess(LoadSpec spec, string log)
    {
        _spec = spec;
        var file = Path.Combine(spec.Directory, "load.json");
        spec.Write(file);
        _process = ChildProcess.Start(new ChildOptions
        {
            Name = "load",
            FileName = "dotnet",
            Arguments = [typeof(LoadProcess).Assembly.Location, LoadCommand.Verb, file],
            LogPath = log,
            OnLine = Hear,
            Environment = new Dictionary<string, string?> { ["DOTNET_gcServer"] = "0" },
        });
    }

    public int Id => _process.Id;

    public LoadStatus Status => _status;

    public bool Ended => _process.Exited.IsCompleted;

    public static LoadProcess Start(LoadSpec spec)
    {
        Directory.CreateDirectory(spec.Directory);
        File.Delete(spec.GoFile);
        File.Delete(spec.StopFile);
        return new LoadProcess(spec, Path.Combine(spec.Directory, "load.log"));
    }

    /// <summary>Waits until its batches are made and its agents have sessions.</summary>
    /// <exception cref="BenchFailure">It ended first.</exception>
    public async Task<LoadStatus> ReadyAsync(CancellationToken stop)
    {
        await Task.WhenAny(_ready.Task, _process.Exited).WaitAsync(stop);
        return _ready.Task.IsCompletedSuccessfully ? _ready.Task.Result : throw await FailureAsync();
    }

    /// <summary>Names the start of the clock.</summary>
    public void Go(DateTime start)
    {
        var micros = (start - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        File.WriteAllText(_spec.GoFile + ".new", micros.ToString(CultureInfo.InvariantCulture));
        File.Move(_spec.GoFile + ".new", _spec.GoFile);
    }

    /// <summary>Waits until everything is sent and committed.</summary>
    /// <exception cref="BenchFailure">It could not be; the process's own line.</exception>
    public async Task<LoadStatus> DoneAsync(CancellationToken stop)
    {
        await Task.WhenAny(_done.Task, _process.Exited).WaitAsync(stop);
        return _done.Task.IsCompletedSuccessfully ? _done.Task.Result : throw await FailureAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!Ended)
        {
            await File.WriteAllTextAsync(_spec.StopFile, "");
            await _process.StopAsync(_done.Task.IsCompleted ? ExitPatience : StopPatience);
        }

        await _process.DisposeAsync();
    }

    private async Task<BenchFailure> FailureAsync() => new(
        _status.State == "failed" ? _status.Detail : $"the load process ended while {_status.State}: {await _process.Exited}");

    private void Hear(string line)
    {
        if (!line.StartsWith('{'))
        {
            return;
        }

        try
        {
            var status = JsonSerializer.Deserialize(line, LoadJson.Default.LoadStatus)!;
            // What was counted before it failed is what a partial report has.
            _status = status.State == "failed" ? _status with { State = status.State, Detail = status.Detail } : status;
        }
        catch (JsonException)
        {
            // Something else that begins with a brace; it is in the log.
            return;
        }

        switch (_status.State)
        {
            case "ready":
                _ready.TrySetResult(_status);
                break;
            case "done":
                _done.TrySetResult(_status);
                break;
        }
    }
}
