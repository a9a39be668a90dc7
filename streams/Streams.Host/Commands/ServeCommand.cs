using System.CommandLine;
using Streams.Gateway;
using Streams.Host.Roles;
using Streams.Host.Terminal;
using Streams.Queue;
using Streams.Services;
using Streams.Worker;

namespace Streams.Host.Commands;

/// <summary>`streams serve`: gateway, worker and services, or some of them, against a NATS and a ClickHouse that already run.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var listen = new Option<string>("--listen") { Description = "Address and port for agents.", DefaultValueFactory = _ => "127.0.0.1:8080" };
        var operatorListen = new Option<string>("--operator-listen") { Description = "Address and port for health and metrics.", DefaultValueFactory = _ => "127.0.0.1:8081" };
        var insecure = new Option<bool>("--insecure") { Description = "Allow operator HTTP without TLS on an address that is not loopback." };
        var plain = new Option<bool>("--plain-backends") { Description = "Allow NATS and ClickHouse on other machines without TLS: rows, commands and the password are in the clear on the way." };
        var roles = new Option<string>("--roles") { Description = "What this process is, of gateway,worker,services.", DefaultValueFactory = _ => "gateway,worker,services" };
        var nats = new Option<string>("--nats") { Description = "NATS, as nats://host:4222.", Required = true };
        var gatewaySeed = new Option<string?>("--nats-gateway-seed") { Description = "File with the gateway role's NKey seed." };
        var workerSeed = new Option<string?>("--nats-worker-seed") { Description = "File with the worker role's NKey seed." };
        var servicesSeed = new Option<string?>("--nats-services-seed") { Description = "File with the services role's NKey seed." };
        var clickHouse = new Option<string?>("--clickhouse") { Description = "ClickHouse's HTTP interface, as http://host:8123, for worker and services." };
        var user = new Option<string>("--clickhouse-user") { Description = "ClickHouse user.", DefaultValueFactory = _ => "streams" };
        var password = new Option<string?>("--clickhouse-password-file") { Description = "File with the user's password." };
        var database = new Option<string>("--database") { Description = "ClickHouse database; made if it is not there.", DefaultValueFactory = _ => "streams" };
        var key = new Option<string?>("--gateway-key") { Description = "The gateway's secret key file." };
        var certificate = new Option<string?>("--gateway-certificate") { Description = "The gateway's certificate file." };
        var serviceKey = new Option<string?>("--service-key") { Description = "The services' secret key file, which signs commands that only look; without it none is given." };
        var serviceCertificate = new Option<string?>("--service-certificate") { Description = "The service certificate's file, signed by a fleet root." };
        var revocations = new Option<string?>("--revocations-file") { Description = "The signed list that `streams keys revoke` keeps in keys/revocations, for a queue that lost it." };
        var succession = new Option<string?>("--succession-file") { Description = "The signed statement that `streams keys root` keeps in keys/succession, for a queue that lost it." };
        var adminToken = new Option<string?>("--admin-token-file") { Description = "File with an operator token that is good as an admin's." };
        var partitions = new Option<int>("--partitions") { Description = "Ingest partitions, 1 to 64; fixed when the queue's streams are made.", DefaultValueFactory = _ => 4 };
        var quota = new Option<long>("--ingest-quota-bytes") { Description = "Quota of one partition's stream when it is made, in bytes, 1 MiB or more.", DefaultValueFactory = _ => 256L << 20 };
        var pool = new Option<long>("--pool-bytes") { Description = "The gateway's credit pool in bytes.", DefaultValueFactory = _ => 256L << 20 };
        var ttl = new Option<int>("--ttl-days") { Description = "Days that rows are kept, 1 to 3650.", DefaultValueFactory = _ => 30 };
        var guard = new Option<string?>("--guard-directory") { Description = "Give no credit while the disk of this directory is low." };
        var floor = new Option<long?>("--disk-floor-bytes") { Description = "Bytes that must stay free there (the smaller of 1 GiB and 5 %)." };
        var stopSeconds = new Option<int>("--stop-seconds") { Description = "Longest that a stop may take, 1 to 600.", DefaultValueFactory = _ => 30 };
        var command = new Command("serve", "Run gateway, worker and services against a NATS and a ClickHouse that already run.")
        {
            roles, listen, operatorListen, insecure, plain, nats, gatewaySeed, workerSeed, servicesSeed, clickHouse, user, password, database, key, certificate, serviceKey, serviceCertificate, revocations, succession, adminToken, partitions, quota, pool, ttl, guard, floor, stopSeconds,
        };
        var transport = new TransportOptions();
        transport.AddTo(command);
        command.SetAction((parse, stop) =>
        {
            var operatorEndpoint = Address.Endpoint("--operator-listen", parse.GetValue(operatorListen)!);
            var operatorTls = transport.OperatorTls(parse, operatorEndpoint, parse.GetValue(insecure));
            var chosen = ServeRoles.Parse(parse.GetValue(roles)!);
            var natsUrl = Address.Backend("--nats", parse.GetValue(nats)!, "nats", "tls", parse.GetValue(plain));
            if (parse.GetValue(guard) is { } directory && !Directory.Exists(directory))
            {
                throw new CommandFailure($"--guard-directory {directory}: no such directory", 2);
            }
            var options = new ServeOptions
            {
                GuardDirectory = parse.GetValue(guard),
                StopLimit = parse.GetValue(stopSeconds) is >= 1 and <= 600 and var seconds
                    ? TimeSpan.FromSeconds(seconds) : throw new CommandFailure($"--stop-seconds {parse.GetValue(stopSeconds)}: expected 1 to 600", 2),
                DiskFloorBytes = parse.GetValue(floor) is not < 0
                    ? parse.GetValue(floor) : throw new CommandFailure("--disk-floor-bytes: expected 0 or more", 2),
                OperatorTls = operatorTls,
                OperatorListen = operatorEndpoint,
                Gateway = !chosen.Gateway ? null : transport.Apply(parse, new GatewayOptions
                {
                    Listen = Address.Endpoint("--listen", parse.GetValue(listen)!),
                    OperatorListen = operatorEndpoint,
                    Nats = natsUrl,
                    NatsSeedFile = Need(gatewaySeed),
                    KeyFile = Need(key),
                    CertificateFile = Need(certificate),
                    Partitions = parse.GetValue(partitions),
                    PoolBytes = parse.GetValue(pool),
                }),
                Worker = !chosen.Worker ? null : new WorkerOptions
                {
                    NatsUrl = natsUrl,
                    NatsSeedFile = Need(workerSeed),
                    ClickHouseUrl = Address.Backend("--clickhouse", Need(clickHouse), "http", "https", parse.GetValue(plain)),
                    ClickHouseUser = parse.GetValue(user)!,
                    ClickHousePasswordFile = Need(password),
                    Database = parse.GetValue(database)!,
                    Partitions = parse.GetValue(partitions),
                    TtlDays = parse.GetValue(ttl),
                    Topology = new TopologyOptions
                    {
                        IngestBytes = parse.GetValue(quota) is >= 1 << 20 and var bytes
                            ? bytes : throw new CommandFailure($"--ingest-quota-bytes {parse.GetValue(quota)}: expected 1048576 or more", 2),
                    },
                },
                Services = !chosen.Services ? null : new ServicesOptions
                {
                    NatsUrl = natsUrl,
                    NatsSeedFile = Need(servicesSeed),
                    ClickHouseUrl = Address.Backend("--clickhouse", Need(clickHouse), "http", "https", parse.GetValue(plain)),
                    ClickHouseUser = parse.GetValue(user)!,
                    ClickHousePasswordFile = Need(password),
                    Database = parse.GetValue(database)!,
                    Partitions = parse.GetValue(partitions),
                    ServiceKeyFile = parse.GetValue(serviceKey),
                    ServiceCertificateFile = parse.GetValue(serviceCertificate),
                    RevocationsFile = parse.GetValue(revocations),
                    SuccessionFile = parse.GetValue(succession),
                    AdminTokenFile = parse.GetValue(adminToken),
                },
            };
            var gatewayProblem = options.Gateway is { } entry ? GatewayOptionsValidator.Validate(entry).FirstOrDefault() : null;
            if ((options.Worker?.Check() ?? options.Services?.Check() ?? gatewayProblem) is { } problem)
            {
                throw new CommandFailure(problem, 2);
            }
            return ServeHost.RunAsync(options, stop);

            string Need(Option<string?> option) => parse.GetValue(option)
                ?? throw new CommandFailure($"{option.Name}: needed for --roles {parse.GetValue(roles)}", 2);
        });
        return command;
    }
}
