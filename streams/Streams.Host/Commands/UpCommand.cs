using System.CommandLine;
using System.Net;
using Streams.Host.Terminal;
using Streams.Host.Up;
using Streams.Local;

namespace Streams.Host.Commands;

/// <summary>`streams up`: everything on this machine, until Ctrl-C.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Data directory; the next start resumes from it.", DefaultValueFactory = _ => DataDirectory.Default };
        var listen = new Option<string>("--listen") { Description = "Address on which agents connect.", DefaultValueFactory = _ => "127.0.0.1" };
        var gatewayPort = new Option<int?>("--gateway-port") { Description = "Port for agents (8080, or a free one)." };
        var operatorPort = new Option<int?>("--operator-port") { Description = "Port for health and metrics, on loopback (8081, or a free one)." };
        var clickHousePort = new Option<int?>("--clickhouse-port") { Description = "ClickHouse's HTTP port, on loopback (8123, or a free one)." };
        var natsPort = new Option<int?>("--nats-port") { Description = "NATS port, on loopback (4222, or a free one)." };
        var partitions = new Option<int>("--partitions") { Description = "Ingest partitions, 1 to 64; fixed at the first start.", DefaultValueFactory = _ => 4 };
        var ttl = new Option<int>("--ttl-days") { Description = "Days that rows are kept, 1 to 3650.", DefaultValueFactory = _ => 30 };
        var floor = new Option<long?>("--disk-floor-bytes") { Description = "Bytes that must stay free: below, agents get no credit (the smaller of 1 GiB and 5 %)." };
        var agentId = new Option<string?>("--agent-id") { Description = "Id of this machine's agent; made from the host name if not given." };
        var noAgent = new Option<bool>("--no-agent") { Description = "Start without an agent." };
        var plain = new Option<bool>("--plain") { Description = "Print lines instead of a live table." };
        var command = new Command("up", "Start NATS, ClickHouse, gateway, worker and, as root, the agent on this machine.")
        {
            data, listen, gatewayPort, operatorPort, clickHousePort, natsPort, partitions, ttl, floor, agentId, noAgent, plain,
        };
        command.SetAction((parse, stop) => RunAsync(
            new UpOptions
            {
                Data = parse.GetValue(data)!,
                Listen = IPAddress.TryParse(parse.GetValue(listen), out var address)
                    ? address : throw new CommandFailure($"--listen {parse.GetValue(listen)}: expected an IP address", 2),
                GatewayPort = parse.GetValue(gatewayPort),
                OperatorPort = parse.GetValue(operatorPort),
                ClickHousePort = parse.GetValue(clickHousePort),
                NatsPort = parse.GetValue(natsPort),
                Partitions = InRange("--partitions", parse.GetValue(partitions), 1, 64),
                TtlDays = InRange("--ttl-days", parse.GetValue(ttl), 1, 3650),
                DiskFloorBytes = parse.GetValue(floor) is not < 0
                    ? parse.GetValue(floor) : throw new CommandFailure("--disk-floor-bytes: expected 0 or more", 2),
                AgentId = parse.GetValue(agentId),
                NoAgent = parse.GetValue(noAgent),
                Plain = parse.GetValue(plain) || Console.IsOutputRedirected,
            },
            stop));
        return command;
    }

    private static async Task<int> RunAsync(UpOptions options, CancellationToken stop)
    {
        await using var abort = SecondSignal.Arm(stop);
        await using var instance = await Instance.StartAsync(options, line => Console.Error.WriteLine($"streams: {line}"), stop);
        var endpoints = instance.Endpoints;
        Console.WriteLine($"agents connect to {endpoints.Gateway}; operator {endpoints.Operator}; ClickHouse {endpoints.ClickHouse}; data {options.Data}");
        using var clickHouse = new ClickHouseHttp(
            new Uri(endpoints.ClickHouse), endpoints.ClickHouseReader, File.ReadAllText(endpoints.ClickHouseReaderPasswordFile).Trim(), "streams");
        await new LiveTable(clickHouse, endpoints, options.Plain).RunAsync(stop);
        Console.WriteLine("stopping");
        return 0;
    }

    private static int InRange(string option, int value, int least, int most) =>
        value >= least && value <= most ? value : throw new CommandFailure($"{option} {value}: expected {least} to {most}", 2);
}
