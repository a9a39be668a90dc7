using System.Runtime.InteropServices;
using Akka.Actor;
using Streams.Queue;
using Streams.Stages;
using Streams.Worker.Tests.EndToEnd;

namespace Streams.Worker.Tests.Faults;

/// <summary>
/// This test program as a worker process: <c>NATS SEED CLICKHOUSE PASSWORD PARTITIONS LEASE-SECONDS TRIGGER</c>. While the trigger file
/// exists, the next insert stops the whole process (SIGSTOP) between its last look at the leases and its first byte, and deletes the file.
/// </summary>
internal static partial class WorkerProgram
{
    private const int SigStop = 19;

    public static async Task Main(string[] args)
    {
        if (args is not [var nats, var seed, var clickHouse, var password, var partitions, var lease, var trigger])
        {
            return;
        }

        using var system = ActorSystem.Create("worker-program", GraphSettings.Configuration);
        using var metrics = new WorkerMetrics();
        await using var worker = new StreamsWorker(
            new WorkerOptions
            {
                NatsUrl = new Uri(nats),
                NatsSeedFile = seed,
                ClickHouseUrl = new Uri(clickHouse),
                ClickHousePasswordFile = password,
                Partitions = int.Parse(partitions),
                Lease = TimeSpan.FromSeconds(int.Parse(lease)),
                Topology = new TopologyOptions { IngestBytes = 64L << 20 },
                BeforeSend = () =>
                {
                    if (File.Exists(trigger))
                    {
                        File.Delete(trigger);
                        Kill(Environment.ProcessId, SigStop);
                    }
                },
            },
            system,
            metrics,
            new RecordingLoggers());
        await worker.StartAsync();
        while (true)
        {
            Console.WriteLine(worker.Health.Detail);
            await Task.Delay(200);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
