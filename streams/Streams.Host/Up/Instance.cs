using System.Globalization;
using System.Net;
using Streams.Host.Fleet;
using Streams.Local;

namespace Streams.Host.Up;

/// <summary>
/// One machine's instance: nats-server, streams-clickhouse, `streams serve` and, as root, the agent, started in this order and stopped in
/// the opposite one, so that nobody loses what it depends on. What dies is started again, on the same ports and the same data.
/// </summary>
internal sealed class Instance : IAsyncDisposable
{
    private static readonly TimeSpan ServeStart = TimeSpan.FromSeconds(60);

    // More than its own limit of 30 s, so that it is the one that says what it left.
    private static readonly TimeSpan ServeStop = TimeSpan.FromSeconds(35);
    private static readonly TimeSpan AgentStop = TimeSpan.FromSeconds(15);

    private const string NatsName = "nats-server";
    private const string ServeName = "streams-serve";
    private const string AgentName = "streams-agent";

    /// <summary>128 + SIGKILL: it did not stop within its deadline.</summary>
    private const int Killed = 137;

    private readonly DataDirectory _data;
    private readonly Cgroups _cgroups;
    private readonly Supervisor _supervisor;
    private readonly Action<string> _say;
    private readonly DiskRecovery _disk;
    private readonly Lock _endpointsGate = new();
    private LocalIdentity? _identity;
    private CertificateRenewal? _renewal;
    private bool _published;

    private Instance(DataDirectory data, Cgroups cgroups, long? floor, Action<string> say)
    {
        _data = data;
        _cgroups = cgroups;
        _say = say;
        _supervisor = new Supervisor(Publish, () => _disk?.Trouble, say);
        _disk = new DiskRecovery(
            DiskGuard.Of(data.Path, floor),
            cancel => _supervisor.RestartAsync([NatsName, ClickHouseServer.ProgramName], "the disk was full", cancel),
            say);
    }

    public Endpoints Endpoints { get; private set; } = null!;

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
            instance = new Instance(data, Cgroups.Create(), options.DiskFloorBytes, say);
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
        lock (_endpointsGate)
        {
            _published = false;
            Endpoints.Remove(_data);
        }
        await _disk.DisposeAsync();
        if (_renewal is not null)
        {
            await _renewal.DisposeAsync();
        }
        if (_identity is not null)
        {
            await _identity.DisposeAsync();
        }
        foreach (var exit in await _supervisor.StopAsync())
        {
            if (exit.Code == Killed)
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

        var gateway = options.Listen.Equals(IPAddress.Any) ? IPAddress.Loopback : options.Listen;
        Endpoints = new Endpoints
        {
            Pid = Environment.ProcessId,
            StartedAt = DateTimeOffset.UtcNow,
            Gateway = $"ws://{new IPEndPoint(gateway, gatewayPort)}/v1/agent",
            Operator = $"http://127.0.0.1:{operatorPort}/",
            ClickHouse = $"http://127.0.0.1:{clickHousePort}/",
            ClickHouseUser = Credentials.ClickHouseUser,
            ClickHousePasswordFile = credentials.ClickHousePasswordFile,
            ClickHouseReader = Credentials.ClickHouseReader,
            ClickHouseReaderPasswordFile = credentials.ClickHouseReaderPasswordFile,
            Nats = $"nats://127.0.0.1:{natsPort}",
            Partitions = options.Partitions,
            NatsSeedFiles = Enum.GetValues<NatsRole>().ToDictionary(role => role.ToString().ToLowerInvariant(), credentials.NatsSeedFile),
        };
        var user = ServiceUser.For([_data.Path, clickHouseProgram], out var rootNote);
        if (rootNote is not null)
        {
            _say(rootNote);
        }
        foreach (var directory in new[] { _data.Path, _data.Keys, _data.ClickHouse })
        {
            user?.LetThrough(directory);
        }
        var quota = 0L;
        var natsOptions = new NatsServerOptions
        {
            Program = ProgramPaths.Nats(),
            Directory = _data.Nats,
            LogPath = Log(NatsName),
            Port = natsPort,
            Partitions = options.Partitions,
            User = user,
            CgroupDirectory = _cgroups.Add(NatsName)?.Directory,
            OnLine = _disk.Heard,
        };
        var clickHouseOptions = new ClickHouseServerOptions
        {
            Program = clickHouseProgram,
            DataDirectory = Path.Combine(_data.ClickHouse, "data"),
            LogPath = Log(ClickHouseServer.ProgramName),
            Port = clickHousePort,
            User = user,
            CgroupDirectory = _cgroups.Add(ClickHouseServer.ProgramName)?.Directory,
            OnLine = _disk.Heard,
        };
        // In this order at a stop, and side by side at the start.
        var nats = _supervisor.StartAsync(new ChildSpecification
        {
            Name = NatsName,
            StopDeadline = TimeSpan.FromSeconds(10),
            Probe = cancel => NatsServer.ProbeAsync(natsPort, credentials, cancel),
            Start = async cancel =>
            {
                var server = await NatsServer.StartAsync(natsOptions, credentials, cancel);
                quota = server.IngestQuota;
                _identity?.PutAgain();
                return server.Process;
            },
        });
        var clickHouse = _supervisor.StartAsync(new ChildSpecification
        {
            Name = ClickHouseServer.ProgramName,
            StopDeadline = TimeSpan.FromSeconds(30),
            Probe = cancel => Health.ProbeClickHouseAsync(Endpoints, cancel),
            Start = async cancel => (await ClickHouseServer.StartAsync(clickHouseOptions, credentials, cancel)).Process,
        });
        await Task.WhenAll(nats, clickHouse).WaitAsync(stop);
        await StartServeAsync(options, keys, quota, gatewayPort, stop);
        if (agentProgram is not null)
        {
            await StartAgentAsync(options, keys, agentProgram, stop);
        }
        _renewal = new CertificateRenewal(_data.Keys, _say);
        Endpoints = Endpoints with { CgroupIds = [.. _cgroups.All.Select(group => group.Id)] };
        lock (_endpointsGate)
        {
            _published = true;
        }
        Publish();
    }

    private async Task StartServeAsync(UpOptions options, FleetKeys keys, long ingestQuota, int gatewayPort, CancellationToken stop)
    {
        var healthz = new Uri(new Uri(Endpoints.Operator), "healthz");
        var services = ServiceKeys.Open(keys, _data.Keys, DateTimeOffset.UtcNow);
        var child = new ChildOptions
        {
            Name = ServeName,
            FileName = Environment.ProcessPath!,
            Arguments =
            [
                .. OwnAssembly(), "serve",
                "--listen", new IPEndPoint(options.Listen, gatewayPort).ToString(),
                "--operator-listen", new Uri(Endpoints.Operator).Authority,
                "--nats", Endpoints.Nats,
                "--nats-gateway-seed", Endpoints.NatsSeedFiles["gateway"],
                "--nats-worker-seed", Endpoints.NatsSeedFiles["worker"],
                "--nats-services-seed", Endpoints.NatsSeedFiles["services"],
                "--clickhouse", Endpoints.ClickHouse,
                "--clickhouse-user", Endpoints.ClickHouseUser,
                "--clickhouse-password-file", Endpoints.ClickHousePasswordFile,
                "--gateway-key", keys.GatewayKeyFile,
                "--gateway-certificate", keys.GatewayCertificateFile,
                "--service-key", services.KeyFile,
                "--service-certificate", services.CertificateFile,
                "--revocations-file", keys.RevocationsFile,
                "--succession-file", keys.SuccessionFile,
                "--admin-token-file", services.AdminTokenFile,
                "--partitions", options.Partitions.ToString(CultureInfo.InvariantCulture),
                "--ingest-quota-bytes", ingestQuota.ToString(CultureInfo.InvariantCulture),
                "--guard-directory", _data.Path,
                .. options.DiskFloorBytes is { } floor ? ["--disk-floor-bytes", floor.ToString(CultureInfo.InvariantCulture)]
                    : Array.Empty<string>(),
                "--ttl-days", options.TtlDays.ToString(CultureInfo.InvariantCulture),
            ],
            LogPath = Log(ServeName),
            CgroupDirectory = _cgroups.Add(ServeName)?.Directory,
            OnLine = _disk.Heard,
        };
        var first = true;
        await _supervisor.StartAsync(new ChildSpecification
        {
            Name = ServeName,
            Needs = [NatsName, ClickHouseServer.ProgramName],
            StopDeadline = ServeStop,
            Probe = cancel => Health.ProbeAsync(healthz, cancel),
            Start = async cancel =>
            {
                var serve = ChildProcess.Start(child);
                // Only the first start waits for rows to flow; later ones wait for leases as long as it takes.
                if (first)
                {
                    try
                    {
                        await Health.WaitAsync(healthz, serve, ServeStart, cancel);
                    }
                    catch
                    {
                        await serve.DisposeAsync();
                        throw;
                    }
                }
                first = false;
                _identity?.PutAgain();
                return serve;
            },
        }).WaitAsync(stop);
    }

    private async Task StartAgentAsync(UpOptions options, FleetKeys keys, string program, CancellationToken stop)
    {
        var group = _cgroups.Add(AgentName);
        var setup = AgentSetup.Write(_data, options, keys, Endpoints.Gateway, _cgroups.All.Select(cgroup => cgroup.Id));
        _identity = await LocalIdentity.PutAsync(Endpoints, setup, stop);
        var child = new ChildOptions
        {
            Name = AgentName,
            FileName = program,
            Arguments = ["run", "--config", setup.ConfigurationFile],
            LogPath = Log(AgentName),
            CgroupDirectory = group?.Directory,
        };
        // It needs nobody: without servers it keeps its events in the spool.
        await _supervisor.StartAsync(new ChildSpecification
        {
            Name = AgentName,
            StopDeadline = AgentStop,
            Start = _ => Task.FromResult(ChildProcess.Start(child)),
        });
    }

    /// <summary>Writes the file that the other commands read: the pids change with every restart.</summary>
    private void Publish()
    {
        lock (_endpointsGate)
        {
            if (!_published)
            {
                return;
            }
            var statuses = _supervisor.Statuses;
            Endpoints = Endpoints with
            {
                Children = statuses.Where(child => child.Pid is not null).ToDictionary(child => child.Name, child => child.Pid!.Value),
                Statuses = statuses,
            };
            try
            {
                Endpoints.Write(_data);
            }
            catch (IOException failure)
            {
                // The disk is full: the children come first.
                _say($"the endpoints file is out of date: {failure.Message}");
            }
        }
    }

    private string Log(string name) => Path.Combine(_data.Log, name + ".log");

    /// <summary>`dotnet streams.dll` needs its assembly named; the program's own executable does not.</summary>
    private static string[] OwnAssembly() =>
        Path.GetFileName(Environment.ProcessPath) == "dotnet" ? [typeof(Instance).Assembly.Location] : [];
}
