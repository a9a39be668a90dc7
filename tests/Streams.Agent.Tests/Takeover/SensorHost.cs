using System.Globalization;
using Streams.Agent.Configuration;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Observability;
using Streams.Agent.Processes;

namespace Streams.Agent.Tests.Takeover;

/// <summary>
/// The observability module as the agent runs it, in a process of its own that can be killed. Ends cleanly when its standard input does.
/// </summary>
internal static class SensorHost
{
    public const string Verb = "sensor-host";

    /// <param name="arguments">Directory, name of the sensor, bytes of the ring, milliseconds that a batch takes, batch at which it dies
    /// (0: none).</param>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        var directory = arguments[0];
        var configuration = new AgentConfiguration
        {
            AgentId = arguments[1],
            RingBytes = int.Parse(arguments[2], CultureInfo.InvariantCulture),
            BarrierSeconds = 1,
            // Batches are full, and handed over, in the middle of reading.
            BatchRows = 100,
            // A rate of shedding would be no test of the ring.
            CpuPercent = 6400,
        };
        var log = AgentLog.ToStandardError("info");
        var delay = TimeSpan.FromMilliseconds(int.Parse(arguments[3], CultureInfo.InvariantCulture));
        using var sink = new FileSink(directory, delay, int.Parse(arguments[4], CultureInfo.InvariantCulture));
        var failed = new TaskCompletionSource<string>();
        var module = new ObservabilityModule(configuration, new byte[16], directory, sink, new ThreadRegistry(), log, TimeProvider.System);
        module.Start(reason => failed.TrySetResult(reason));
        Console.Out.WriteLine("ready");
        var ended = Task.Run(Console.In.ReadToEnd);
        if (Task.WaitAny(failed.Task, ended) == 0)
        {
            Console.Error.WriteLine(failed.Task.Result);
            return 3;
        }

        module.Stop(TimeSpan.FromSeconds(10));
        return 0;
    }
}
