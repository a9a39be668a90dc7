using System.Globalization;
using Streams.Bench.Chaos.Sources;
using Streams.Local;

namespace Streams.Bench.Chaos.Running;

/// <summary>One source of the harness: started, killed and started again in the same directory.</summary>
internal sealed class SourceProcess(string id, SourceFiles files, string gateway, string root, int rate, int agents = 1) : IAsyncDisposable
{
    private ChildProcess? _process;

    public string Id => id;

    public SourceFiles Files => files;

    public ChildProcess Process => _process ?? throw new InvalidOperationException($"{id} was not started");

    /// <summary>Whom the process plays.</summary>
    public IReadOnlyList<SourceAgent> Agents { get; } = SourceAgent.Of(id, files, agents);

    /// <summary>Where its first agent is; null until its present process has said so.</summary>
    public SourceStatus? Status => Agents[0].Status;

    /// <summary>Another process of the same agent, with a directory of its own.</summary>
    public SourceProcess Twin(SourceFiles other) => new(id, other, gateway, root, rate);

    public void Start(params string[] further)
    {
        ForgetStatus();
        _process = ChildProcess.Start(new ChildOptions
        {
            Name = id,
            FileName = "dotnet",
            Arguments =
            [
                typeof(SourceProcess).Assembly.Location, "source", "--id", id, "--directory", files.Directory, "--gateway", gateway,
                    "--root", root,
                "--rate", rate.ToString(CultureInfo.InvariantCulture), "--agents", agents.ToString(CultureInfo.InvariantCulture), .. further,
            ],
            LogPath = files.Log,
            Environment = new Dictionary<string, string?> { ["DOTNET_gcServer"] = "0", ["DOTNET_TieredPGO"] = "0" },
        });
    }

    public async Task KillAsync()
    {
        await Process.DisposeAsync();
        ForgetStatus();
    }

    private void ForgetStatus()
    {
        foreach (var agent in Agents.Where(agent => Directory.Exists(agent.Files.Directory)))
        {
            File.Delete(agent.Files.Status);
        }
    }

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;
}
