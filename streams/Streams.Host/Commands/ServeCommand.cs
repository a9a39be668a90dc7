using System.CommandLine;
using Streams.Gateway;
using Streams.Host.Roles;
using Streams.Host.Terminal;
using Streams.Queue;
using Streams.Worker;

namespace Streams.Host.Commands;

/// <summary>`streams serve`: gateway and worker against a NATS and a ClickHouse that already run.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var listen = new Option<string>("--listen") { Description = "Address and port for agents.", DefaultValueFactory = _ => "127.0.0.1:8080" };
        var operatorListen = new Option<string>("--operator-listen") { Description = "Address and port for health and metrics.", DefaultValueFactory = _ => "127.0.0.1:8081" };
        var insecure = new Option<bool>("--insecure") { Description = "Allow operator HTTP without TLS on an address that is not loopback." };
        var nats = new Option<string>("--nats") { Description = "NATS, as nats://host:4222.", Required = true };
        var gatewaySeed = new Option<string>("--nats-gateway-seed") { Description = "File with the gateway role's NKey seed.", Required = true };
        var workerSeed = new Option<string>("--nats-worker-seed") { Description = "File with the worker role's NKey seed.", Required = true };
        var clickHouse = new Option<string>("--clickhouse") { Description = "ClickHouse's HTTP interface, as http://host:8123.", Required = true };
        var user = new Option<string>("--clickhouse-user") { Description = "ClickHouse user.", DefaultValueFactory = _ => "streams" };
        var password = new Option<string>("--clickhouse-password-file") { Description = "File with the user's password.", Required = true };
        var database = new Option<string>("--database") { Description = "ClickHouse database; made if it is not there.", DefaultValueFactory = _ => "streams" };
        var key = new Option<string>("--gateway-key") { Description = "The gateway's secret key file.", Required = true };
        var certificate = new Option<string>("--gateway-certificate") { Description = "The gateway's certificate file.", Required = true };
        var partitions = new Option<int>("--partitions") { Description = "Ingest partitions, 1 to 64; fixed when the queue's streams are made.", DefaultValueFactory = _ => 4 };
        var quota = new Option<long>("--ingest-quota-bytes") { Description = "Quota of one partition's stream when it is made, in bytes, 1 MiB or more.", DefaultValueFactory = _ => 256L << 20 };
        var pool = new Option<long>("--pool-bytes") { Description = "The gateway's credit pool in bytes.", DefaultValueFactory = _ => 256L << 20 };
        var ttl = new Option<int>("--ttl-days") { Description = "Days that rows are kept, 1 to 3650.", DefaultValueFactory = _ => 30 };
        var guard = new Option<string?>("--guard-directory") { Description = "Give no credit while the disk of this directory is low." };
        var floor = new Option<long?>("--disk-floor-bytes") { Description = "Bytes that must stay free there (the smaller of 1 GiB and 5 %)." };
        var stopSeconds = new Option<int>("--stop-seconds") { Description = "Longest that a stop may take, 1 to 600.", DefaultValueFactory = _ => 30 };
        var command = new Command("serve", "Run gateway and worker against a NATS and a ClickHouse that already run.")
        {
            listen, operatorListen, insecure, nats, gatewaySeed, workerSeed, clickHouse, user, password, database, key, certificate, partitions, quota, pool, ttl, guard, floor, stopSeconds,
        };
        var transport = new TransportOptions();
        transport.AddTo(command);
        command.SetAction((parse, stop) =>
        {
            var operatorEndpoint = Address.Endpoint("--operator-listen", parse.GetValue(operatorListen)!);
            var operatorTls = transport.OperatorTls(parse, operatorEndpoint, parse.GetValue(insecure));
            var natsUrl = Address.Url("--nats", parse.GetValue(nats)!, "nats", "tls");
            var clickHouseUrl = Address.Url("--clickhouse", parse.GetValue(clickHouse)!, "http", "https");
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
                Gateway = transport.Apply(parse, new GatewayOptions
                {
                    Listen = Address.Endpoint("--listen", parse.GetValue(listen)!),
                    OperatorListen = operatorEndpoint,
                    Nats = natsUrl,
                    NatsSeedFile = parse.GetValue(gatewaySeed)!,
                    KeyFile = parse.GetValue(key)!,
                    CertificateFile = parse.GetValue(certificate)!,
                    Partitions = parse.GetValue(partitions),
                    PoolBytes = parse.GetValue(pool),
                }),
                Worker = new WorkerOptions
                {
                    NatsUrl = natsUrl,
                    NatsSeedFile = parse.GetValue(workerSeed)!,
                    ClickHouseUrl = clickHouseUrl,
                    ClickHouseUser = parse.GetValue(user)!,
                    ClickHousePasswordFile = parse.GetValue(password)!,
                    Database = parse.GetValue(database)!,
                    Partitions = parse.GetValue(partitions),
                    TtlDays = parse.GetValue(ttl),
                    Topology = new TopologyOptions
                    {
                        IngestBytes = parse.GetValue(quota) is >= 1 << 20 and var bytes
                            ? bytes : throw new CommandFailure($"--ingest-quota-bytes {parse.GetValue(quota)}: expected 1048576 or more", 2),
                    },
                },
            };
            if ((options.Worker.Check() ?? GatewayOptionsValidator.Validate(options.Gateway).FirstOrDefault()) is { } problem)
            {
                throw new CommandFailure(problem, 2);
            }
            return ServeHost.RunAsync(options, stop);
        });
        return command;
    }
}
