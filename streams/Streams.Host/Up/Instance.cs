using System.Globalization;
using System.Net;
using Streams.Host.Fleet;
using Streams.Local;

namespace Streams.Host.Up;

/// <summary>
/// One machine's instance: nats-server, streams-clickhouse, `streams serve` and, as root, the agent, started in this order and stopped in the
/// opposite one, so that nobody loses what it depends on.
/// </summary>
internal sealed class Instance : IAsyncDisposable
{
    private static readonly TimeSpan ServeStart = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ServeStop = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AgentStop = TimeSpan.FromSeconds(15);

    /// <summary>128 + SIGKILL: it did not stop within its deadline.</summary>
    private const int Killed = 137;

    private readonly DataDirectory _data;
    private readonly Cgroups _cgroups;
    private readonly Supervisor _supervisor = new();
    private readonly Action<string> _say;

    private Instance(DataDirectory data, Cgroups cgroups, Action<string> say)
    {
        _data = data;
        _cgroups = cgroups;
        _say = say;
    }

    public Endpoints Endpoints { get; private set; } = null!;

    /// <summary>Ends when a child has ended that nobody asked to.</summary>
    public Task<ChildExit> FirstExit => _supervisor.FirstExit;

    /// <summary>Starts everything and returns when rows can flow.</summary>
    /// <exception cref="LocalException">A part could not start; what had started is stopped again.</exception>
    public static async Task<Instance> StartAsync(UpOptions options, Action<string> say, CancellationToken stop)
    {
        var agentProgram = AgentProgram(options, say);
        var clickHouseProgram = ProgramPaths.ClickHouse();
        var data = DataDirectory.Open(options.Data);
        Instance? instance = null;
        try
        {
            instance = new Instance(data, Cgroups.Create(), say);
            if (agentProgram is not null && instance._cgroups.Note is { } note)
            {
                say(note);
            }
            await instance.StartChildrenAsync(options, clickHouseProgram, agentProgram, stop);
            return instance;
        }
        catch
        {
            if (instance is null)
            {
                data.Dispose();
            }
            else
            {
                await instance.DisposeAsync();
            }
            throw;
        }
    }

    /// <summary>Stops the children, last started first; says which did not end by itself.</summary>
    public async ValueTask DisposeAsync()
    {
        Endpoints.Remove(_data);
        foreach (var exit in await _supervisor.StopAsync())
        {
            // The one that ended by itself is reported by the caller.
            if (exit.Code == Killed && !(FirstExit.IsCompletedSuccessfully && FirstExit.Result == exit))
            {
                _say(exit.ToString());
            }
        }
        await _supervisor.DisposeAsync();
        _cgroups.Dispose();
        _data.Dispose();
    }

    private static string? AgentProgram(UpOptions options, Action<string> say)
    {
        if (options.NoAgent)
        {
            return null;
        }
        if (Environment.UserName != "root")
        {
            say("running without an agent: loading eBPF programs needs root; run with sudo to see this host's events");
            return null;
        }
        return ProgramPaths.Agent();
    }

    private async Task StartChildrenAsync(UpOptions options, string clickHouseProgram, string? agentProgram, CancellationToken stop)
    {
        var ports = new Ports();
        var gatewayPort = ports.Resolve("the gateway", "--gateway-port", options.GatewayPort, 8080, options.Listen);
        var operatorPort = ports.Resolve("operator HTTP", "--operator-port", options.OperatorPort, 8081);
        var clickHousePort = ports.Resolve("ClickHouse", "--clickhouse-port", options.ClickHousePort, 8123);
        var natsPort = ports.Resolve("NATS", "--nats-port", options.NatsPort, 4222);
        var credentials = Credentials.Open(_data.Keys);
        var keys = FleetKeys.Open(_data.Keys, DateTimeOffset.UtcNow);

        var nats = NatsServer.StartAsync(
            new NatsServerOptions
            {
                Program = ProgramPaths.Nats(),
                Directory = _data.Nats,
                LogPath = Log("nats-server"),
                Port = natsPort,
                Partitions = options.Partitions,
                CgroupDirectory = _cgroups.Add("nats-server")?.Directory,
            },
            credentials, stop);
        var clickHouse = ClickHouseServer.StartAsync(
            new ClickHouseServerOptions
            {
                Program = clickHouseProgram,
                DataDirectory = Path.Combine(_data.ClickHouse, "data"),
                LogPath = Log("streams-clickhouse"),
                Port = clickHousePort,
                CgroupDirectory = _cgroups.Add("streams-clickhouse")?.Directory,
            },
            credentials, stop);
        await AdoptAsync(nats, clickHouse);

        var gateway = options.Listen.Equals(IPAddress.Any) ? IPAddress.Loopback : options.Listen;
        Endpoints = new Endpoints
        {
            Pid = Environment.ProcessId,
            StartedAt = DateTimeOffset.UtcNow,
            Gateway = $"ws://{new IPEndPoint(gateway, gatewayPort)}/v1/agent",
            Operator = $"http://127.0.0.1:{operatorPort}/",
            ClickHouse = (await clickHouse).Url.ToString(),
            ClickHouseUser = Credentials.ClickHouseUser,
            ClickHousePasswordFile = credentials.ClickHousePasswordFile,
            Nats = (await nats).Url.ToString(),
            Partitions = options.Partitions,
            NatsSeedFiles = Enum.GetValues<NatsRole>().ToDictionary(role => role.ToString().ToLowerInvariant(), credentials.NatsSeedFile),
        };
        await StartServeAsync(options, keys, (await nats).IngestQuota, gatewayPort, stop);

        var agentGroup = agentProgram is null ? null : _cgroups.Add("agent");
        Endpoints = Endpoints with
        {
            CgroupIds = [.. _cgroups.All.Select(group => group.Id)],
            Children = _supervisor.Children.ToDictionary(child => child.Name, child => child.Id),
        };
        if (agentProgram is not null)
        {
            await StartAgentAsync(options, keys, agentProgram, agentGroup, stop);
        }
        Endpoints.Write(_data);
    }

    /// <summary>Both servers start at once; one that came up is stopped again when the other did not.</summary>
    private async Task AdoptAsync(Task<NatsServer> nats, Task<ClickHouseServer> clickHouse)
    {
        try
        {
            await Task.WhenAll(nats, clickHouse);
        }
        finally
        {
            if (nats.IsCompletedSuccessfully)
            {
                _supervisor.Add((await nats).Process, TimeSpan.FromSeconds(10));
            }
            if (clickHouse.IsCompletedSuccessfully)
            {
                _supervisor.Add((await clickHouse).Process, TimeSpan.FromSeconds(30));
            }
        }
    }

    private async Task StartServeAsync(UpOptions options, FleetKeys keys, long ingestQuota, int gatewayPort, CancellationToken stop)
    {
        var serve = ChildProcess.Start(new ChildOptions
        {
            Name = "streams-serve",
            FileName = Environment.ProcessPath!,
            Arguments =
            [
                .. OwnAssembly(), "serve",
                "--listen", new IPEndPoint(options.Listen, gatewayPort).ToString(),
                "--operator-listen", new Uri(Endpoints.Operator).Authority,
                "--nats", Endpoints.Nats,
                "--nats-gateway-seed", Endpoints.NatsSeedFiles["gateway"],
                "--nats-worker-seed", Endpoints.NatsSeedFiles["worker"],
                "--clickhouse", Endpoints.ClickHouse,
                "--clickhouse-user", Endpoints.ClickHouseUser,
                "--clickhouse-password-file", Endpoints.ClickHousePasswordFile,
                "--gateway-key", keys.GatewayKeyFile,
                "--gateway-certificate", keys.GatewayCertificateFile,
                "--partitions", options.Partitions.ToString(CultureInfo.InvariantCulture),
                "--ingest-quota-bytes", ingestQuota.ToString(CultureInfo.InvariantCulture),
                "--ttl-days", options.TtlDays.ToString(CultureInfo.InvariantCulture),
            ],
            LogPath = Log("streams-serve"),
            CgroupDirectory = _cgroups.Add("streams-serve")?.Directory,
        });
        _supervisor.Add(serve, ServeStop);
        await Health.WaitAsync(new Uri(new Uri(Endpoints.Operator), "healthz"), serve, ServeStart, stop);
    }

    private async Task StartAgentAsync(UpOptions options, FleetKeys keys, string program, Cgroup? group, CancellationToken stop)
    {
        var setup = AgentSetup.Write(_data, options, keys, Endpoints.Gateway, _cgroups.All.Select(cgroup => cgroup.Id));
        await using (var identities = await Identities.OpenAsync(Endpoints, stop))
        {
            await identities.PutAsync(setup.AgentId, setup.PublicKey, Environment.MachineName, stop);
        }
        var agent = ChildProcess.Start(new ChildOptions
        {
            Name = "streams-agent",
            FileName = program,
            Arguments = ["run", "--config", setup.ConfigurationFile],
            LogPath = Log("streams-agent"),
            CgroupDirectory = group?.Directory,
        });
        _supervisor.Add(agent, AgentStop);
        Endpoints = Endpoints with { Children = _supervisor.Children.ToDictionary(child => child.Name, child => child.Id) };
    }

    private string Log(string name) => Path.Combine(_data.Log, name + ".log");

    /// <summary>`dotnet streams.dll` needs its assembly named; the program's own executable does not.</summary>
    private static string[] OwnAssembly() =>
        Path.GetFileName(Environment.ProcessPath) == "dotnet" ? [typeof(Instance).Assembly.Location] : [];
}
