using System.Globalization;
using Streams.Bench.Chaos.Profiles;
using Streams.Bench.Chaos.Sources;
using Streams.Bench.Running;
using Streams.Local;

namespace Streams.Bench.Chaos.Running;

/// <summary>
/// The servers of a run, each a process of its own that can be stopped, killed and started again on the same port and the same data.
/// `streams up` makes
/// keys and credentials first, as a user's first start does; then its parts are started one by one.
/// </summary>
internal sealed class ChaosStack : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly string _data;
    // Which process is the worker, when gateways have none.
    private readonly int? _worker;
    private readonly Credentials _credentials;
    private readonly List<ChildProcess?> _serves = [];
    private readonly List<(string Listen, string Operator)> _addresses = [];
    private NatsServer? _nats;
    private DateTime _nextLook;
    private ClickHouseServer? _clickHouse;

    private ChaosStack(string data, Endpoints endpoints, int? worker)
    {
        _data = data;
        _worker = worker;
        Endpoints = endpoints;
        _credentials = Credentials.Open(Path.Combine(data, "keys"));
    }

    public Endpoints Endpoints { get; }

    /// <summary>Ports of the gateways.</summary>
    public IReadOnlyList<int> GatewayPorts => [.. _addresses.Select(address => int.Parse(address.Listen.Split(':')[1],
        CultureInfo.InvariantCulture))];

    public IReadOnlyList<string> OperatorAddresses => [.. _addresses.Select(address => address.Operator)];

    /// <summary>Which process the worker is in.</summary>
    public int WorkerIndex => _worker ?? 0;

    public string QueueDirectory => Path.Combine(_data, "nats", "jetstream");

    public string DataDirectory => _data;

    /// <summary>What runs now, by name.</summary>
    public IEnumerable<(string Name, ChildProcess Process)> Processes
    {
        get
        {
            if (_nats is { } nats)
            {
                yield return ("nats-server", nats.Process);
            }

            if (_clickHouse is { } clickHouse)
            {
                yield return ("streams-clickhouse", clickHouse.Process);
            }

            for (var i = 0; i < _serves.Count; i++)
            {
                if (_serves[i] is { } serve)
                {
                    yield return (i == 0 ? "streams-serve" : $"streams-serve-{i}", serve);
                }
            }
        }
    }

    /// <summary>Ends that nobody asked for, one line each; such a process is started again.</summary>
    public List<string> UnexpectedExits { get; } = [];

    /// <summary>How often the queue ran and answered nothing, as after a full disk, and was started again, as a supervisor does.</summary>
    public int QueueWedged { get; private set; }

    /// <summary>Makes keys and one identity per source, then starts the servers.</summary>
    public static async Task<ChaosStack> StartAsync(string data, string log, IReadOnlyList<(string Id, SourceFiles Files)> sources,
        Profile profile, ExternalServers? external, CancellationToken stop)
    {
        Endpoints endpoints;
        await using (var up = await UpProcess.StartAsync(data, log, ["--no-agent", .. FreePorts()], stop))
        {
            foreach (var (id, files) in external is null ? sources : [])
            {
                await LetInAsync(data, id, files, profile.AgentsPerSource, stop);
            }

            endpoints = up.Endpoints;
            await up.StopAsync();
        }

        endpoints = external?.Replace(endpoints) ?? endpoints;
        var stack = new ChaosStack(data, endpoints, profile.WorkerApart ? profile.Gateways : null);
        try
        {
            if (external is null)
            {
                await stack.StartNatsAsync(stop);
                await stack.StartClickHouseAsync(stop);
            }

            for (var i = 0; i < profile.Gateways + (profile.WorkerApart ? 1 : 0); i++)
            {
                stack._addresses.Add(i == 0
                    ? (new Uri(endpoints.Gateway).Authority, new Uri(endpoints.Operator).Authority)
                    : ($"127.0.0.1:{Ports.Free()}", $"127.0.0.1:{Ports.Free()}"));
                stack._serves.Add(null);
                stack.StartServe(i);
            }

            if (external is not null)
            {
                await ExternalServers.LetInAsync(data, endpoints, sources, profile.AgentsPerSource, stop);
            }

            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes the keys of a source's agents and lets them in.</summary>
    public static Task LetInAsync(string data, string id, SourceFiles files, int agents, CancellationToken stop) => StreamsCommand.RunAsync(
        agents == 1
            ? ["keys", "create-agent", id, "--replace", "--key-file", files.Key, "--data", data]
            : ["keys", "create-agents", id, "--count", agents.ToString(CultureInfo.InvariantCulture), "--key-directory",
                SourceAgent.KeyDirectory(files.Directory), "--data", data],
        stop);

    /// <summary>So that they can be made again.</summary>
    public static void ForgetKeys(SourceFiles files)
    {
        File.Delete(files.Key);
        if (Directory.Exists(SourceAgent.KeyDirectory(files.Directory)))
        {
            Directory.Delete(SourceAgent.KeyDirectory(files.Directory), recursive: true);
        }
    }

    /// <summary>Options of `up`: ports that nobody falls back to, as they must still be free after each fault.</summary>
    public static IEnumerable<string> FreePorts() => new[] { "--gateway-port", "--operator-port", "--clickhouse-port", "--nats-port" }
        .SelectMany(option => new[] { option, Ports.Free().ToString(CultureInfo.InvariantCulture) });

    public ChildProcess Serve(int index) => _serves[index] ?? throw new InvalidOperationException("the process does not run");

    public ChildProcess Nats => _nats?.Process ?? throw new InvalidOperationException("nats-server does not run");

    public ChildProcess ClickHouse => _clickHouse?.Process ?? throw new InvalidOperationException("streams-clickhouse does not run");

    public async Task StartNatsAsync(CancellationToken stop) => _nats = await PersistAsync(() => NatsServer.StartAsync(
        new NatsServerOptions
        {
            Directory = Path.Combine(_data, "nats"),
            LogPath = Log("nats-server"),
            Port = new Uri(Endpoints.Nats).Port,
            Partitions = Endpoints.Partitions,
        },
        _credentials, stop));

    public async Task StartClickHouseAsync(CancellationToken stop) => _clickHouse = await PersistAsync(() => ClickHouseServer.StartAsync(
        new ClickHouseServerOptions
        {
            Program = RepositoryPrograms.ClickHouse(),
            DataDirectory = Path.Combine(_data, "clickhouse", "data"),
            LogPath = Log("streams-clickhouse"),
            Port = new Uri(Endpoints.ClickHouse).Port,
        },
        _credentials, stop));

    public void StartServe(int index)
    {
        var keys = Path.Combine(_data, "keys");
        _serves[index] = ChildProcess.Start(new ChildOptions
        {
            Name = "streams-serve",
            FileName = "dotnet",
            Arguments =
            [
                RepositoryPrograms.Host(), "serve", "--listen", _addresses[index].Listen, "--operator-listen", _addresses[index].Operator,
                "--nats", Endpoints.Nats, "--nats-gateway-seed", Endpoints.NatsSeedFiles["gateway"], "--nats-worker-seed",
                    Endpoints.NatsSeedFiles["worker"], "--nats-services-seed", Endpoints.NatsSeedFiles["services"],
                "--clickhouse", Endpoints.ClickHouse, "--clickhouse-user", Endpoints.ClickHouseUser,
                "--clickhouse-password-file", Endpoints.ClickHousePasswordFile, "--gateway-key", Path.Combine(keys, "gateway.key"),
                "--gateway-certificate", Path.Combine(keys, "gateway.cert"),
                "--partitions", Endpoints.Partitions.ToString(CultureInfo.InvariantCulture),
                .. _worker is { } worker ? ["--roles", index == worker ? "worker,services" : "gateway"] : Array.Empty<string>(),
                .. _nats is { } nats
                    ? ["--ingest-quota-bytes", nats.IngestQuota.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
            ],
            LogPath = Log(index == 0 ? "streams-serve" : $"streams-serve-{index}"),
        });
    }

    /// <summary>Ends a server: with SIGKILL, or in order.</summary>
    public async Task EndNatsAsync(bool kill)
    {
        var nats = Interlocked.Exchange(ref _nats, null)!;
        await EndAsync(nats.Process, kill);
    }

    public async Task EndClickHouseAsync(bool kill)
    {
        var clickHouse = Interlocked.Exchange(ref _clickHouse, null)!;
        await EndAsync(clickHouse.Process, kill);
    }

    public async Task EndServeAsync(int index, bool kill)
    {
        var serve = Serve(index);
        _serves[index] = null;
        await EndAsync(serve, kill);
    }

    /// <summary>Starts what has ended by itself, as `up` does, and remembers that it had.</summary>
    public async Task ReviveAsync(CancellationToken stop)
    {
        await ReviveQueueAsync(stop);
        foreach (var (name, process) in Processes.Where(p => p.Process.Exited.IsCompleted).ToList())
        {
            UnexpectedExits.Add((await process.Exited).ToString());
            Console.WriteLine($"  {UnexpectedExits[^1]}");
            await process.DisposeAsync();
            switch (name)
            {
                case "nats-server":
                    await StartNatsAsync(stop);
                    break;
                case "streams-clickhouse":
                    await StartClickHouseAsync(stop);
                    break;
                default:
                    StartServe(_serves.IndexOf(process));
                    break;
            }
        }
    }

    /// <summary>Starts a queue again that runs and answers nothing, as a supervisor has to after a full disk.</summary>
    private async Task ReviveQueueAsync(CancellationToken stop)
    {
        if (DateTime.UtcNow < _nextLook || _nats is not { } nats)
        {
            return;
        }

        _nextLook = DateTime.UtcNow + LookInterval;
        if (!await nats.AnswersAsync(_credentials, LookInterval, stop) && !await nats.AnswersAsync(_credentials, LookInterval, stop))
        {
            QueueWedged++;
            Console.WriteLine($"  nats-server answered nothing for {2 * LookInterval.TotalSeconds:0} s and is started again");
            await EndNatsAsync(kill: true);
            await StartNatsAsync(stop);
        }
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = 0; i < _serves.Count; i++)
        {
            if (_serves[i] is { } serve)
            {
                await EndAsync(serve, kill: false);
            }
        }

        if (_clickHouse is { } clickHouse)
        {
            await EndAsync(clickHouse.Process, kill: false);
        }

        if (_nats is { } nats)
        {
            await EndAsync(nats.Process, kill: false);
        }
    }

    /// <summary>As a supervisor does: while the server was down another process may have taken its port for a moment.</summary>
    private static async Task<T> PersistAsync<T>(Func<Task<T>> start)
    {
        var until = DateTime.UtcNow + StartPatience;
        while (true)
        {
            try
            {
                return await start();
            }
            catch (LocalException failure) when (DateTime.UtcNow < until)
            {
                Console.WriteLine($"  {failure.Message}; tried again");
                await Task.Delay(500);
            }
        }
    }

    private string Log(string name) => Path.Combine(_data, "log", name + ".log");

    private static async Task EndAsync(ChildProcess process, bool kill)
    {
        if (!kill)
        {
            await process.StopAsync(TimeSpan.FromSeconds(30));
        }

        await process.DisposeAsync();
    }
}
