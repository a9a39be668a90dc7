using System.Buffers.Text;
using System.Globalization;
using Streams.Bench.Load;
using Streams.Bench.Running;
using Streams.Bench.Wire;

namespace Streams.Bench.Cases;

/// <summary>The system under load: a real `streams up` of its own, and identities that it knows.</summary>
internal sealed class CaseStack : IAsyncDisposable
{
    private readonly string _directory;
    private readonly string _root;

    private CaseStack(string directory, UpProcess up, string root)
    {
        _directory = directory;
        Up = up;
        _root = root;
        Engine = new EngineClient(up.Endpoints);
    }

    public UpProcess Up { get; }

    public EngineClient Engine { get; }

    public static async Task<CaseStack> StartAsync(string directory, CancellationToken stop)
    {
        var data = Path.Combine(directory, "data");
        var up = await UpProcess.StartAsync(data, Path.Combine(directory, "up.log"), ["--no-agent"], stop);
        try
        {
            return new CaseStack(directory, up, Base64Url.EncodeToString(await Swarm.FleetRootAsync(data, stop)));
        }
        catch
        {
            await up.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes keys for agents PREFIX-0 and so on, as an operator would.</summary>
    public Task LetInAsync(string prefix, int count, CancellationToken stop) => StreamsCommand.RunAsync(
        ["keys", "create-agents", prefix, "--count", count.ToString(CultureInfo.InvariantCulture), "--key-directory", KeysOf(prefix), "--data", Path.Combine(_directory, "data")], stop);

    /// <summary>What one of so many processes of a load does.</summary>
    public LoadSpec SpecOf(CaseDefinition definition, string prefix, int process, int processes)
    {
        var first = definition.Agents * process / processes;
        var churn = definition.Phases.FirstOrDefault(static phase => phase.Kind == PhaseKind.Churn);
        return new LoadSpec
        {
            Gateway = new Uri(Up.Endpoints.Gateway).GetLeftPart(UriPartial.Authority),
            Root = _root,
            Prefix = prefix,
            Keys = KeysOf(prefix),
            First = first,
            Count = (definition.Agents * (process + 1) / processes) - first,
            Agents = definition.Agents,
            Mix = definition.Mix,
            Segments = [],
            Scheduled = definition.Scheduled,
            SpoolMebibytes = definition.SpoolMebibytes,
            ChurnShare = churn?.Share ?? 0,
            ChurnSeconds = churn?.EverySeconds ?? 0,
            FlushSeconds = definition.FlushSeconds,
            Directory = Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{prefix}-load-{process}")),
        };
    }

    public async ValueTask DisposeAsync()
    {
        Engine.Dispose();
        await Up.DisposeAsync();
    }

    private string KeysOf(string prefix) => Path.Combine(_directory, prefix + "-keys");
}
