using System.Buffers.Text;
using System.Globalization;
using Streams.Bench.Load;
using Streams.Bench.Running;
using Streams.Bench.Watching;
using Streams.Bench.Wire;
using Streams.Local;

namespace Streams.Bench.Cases;

/// <summary>The system under load: a real `streams up` of its own, and identities that it knows.</summary>
internal sealed class CaseStack : IAsyncDisposable
{
    private readonly string _directory;
    private readonly string _root;

    private readonly GatewayProcess? _gateway;

    private CaseStack(string directory, UpProcess up, string root, GatewayProcess? gateway, Endpoints endpoints)
    {
        _directory = directory;
        Up = up;
        _root = root;
        _gateway = gateway;
        Endpoints = endpoints;
        Engine = new EngineClient(endpoints);
    }

    public UpProcess Up { get; }

    /// <summary>Of `up`; with a gateway apart, that gateway's address and process are in it.</summary>
    public Endpoints Endpoints { get; }

    public EngineClient Engine { get; }

    /// <param name="partitions">Ingest partitions.</param>
    /// <param name="gatewayApart">The gateway is a process of its own, so that its cost can be told from the worker's.</param>
    public static async Task<CaseStack> StartAsync(string directory, int partitions, bool gatewayApart, CancellationToken stop)
    {
        var data = Path.Combine(directory, "data");
        var up = await UpProcess.StartAsync(data, Path.Combine(directory, "up.log"), ["--no-agent", "--partitions", partitions.ToString(CultureInfo.InvariantCulture)], stop);
        GatewayProcess? gateway = null;
        try
        {
            var root = Base64Url.EncodeToString(await Swarm.FleetRootAsync(data, stop));
            if (!gatewayApart)
            {
                return new CaseStack(directory, up, root, null, up.Endpoints);
            }

            gateway = await GatewayProcess.StartAsync(data, up.Endpoints, Path.Combine(directory, "gateway.log"), stop);
            return new CaseStack(directory, up, root, gateway, up.Endpoints with
            {
                Gateway = gateway.Url.ToString(),
                Children = new Dictionary<string, int>(up.Endpoints.Children) { [RunWatch.Gateway] = gateway.Id },
            });
        }
        catch
        {
            await (gateway?.DisposeAsync() ?? default);
            await up.DisposeAsync();
            throw;
        }
    }

    /// <summary>Identities whose sessions are begun by hand.</summary>
    public Task<Swarm> SwarmAsync(int count, CancellationToken stop) => Swarm.CreateAsync(Path.Combine(_directory, "data"), new Uri(Endpoints.Gateway), count, stop);

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
            Gateway = new Uri(Endpoints.Gateway).GetLeftPart(UriPartial.Authority),
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

    /// <summary>Stops all of it in order.</summary>
    public async Task StopAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.StopAsync();
        }

        await Up.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Engine.Dispose();
        await (_gateway?.DisposeAsync() ?? default);
        await Up.DisposeAsync();
    }

    private string KeysOf(string prefix) => Path.Combine(_directory, prefix + "-keys");
}
