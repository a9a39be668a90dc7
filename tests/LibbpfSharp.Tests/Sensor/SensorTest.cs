using System.Diagnostics;
using Streams.Agent.Modules.Observability.Sensor;

namespace LibbpfSharp.Tests.Sensor;

/// <summary>A sensor instance of the test's own, with its reader and a sink that keeps everything.</summary>
public abstract class SensorTest : KernelTest, IDisposable
{
    private static int _number;

    private protected SensorTest(int ringBytes = 1 << 20, uint wakeupBytes = 0, bool attach = true)
    {
        Options = new SensorOptions
        {
            Name = $"test-{Environment.ProcessId}-{Interlocked.Increment(ref _number)}",
            RingBytes = ringBytes,
            WakeupBytes = wakeupBytes,
        };
        Instance = SensorInstance.Start(Options);
        Reader = new SensorReader(Instance);
        if (attach)
        {
            Instance.Attach();
        }
    }

    private protected SensorOptions Options { get; }

    private protected SensorInstance Instance { get; }

    private protected SensorReader Reader { get; }

    private protected CollectingSink Sink { get; } = new();

    void IDisposable.Dispose()
    {
        Cleanup();
        Reader.Dispose();
        Instance.Dispose();
        Assert.False(Directory.Exists(Instance.PinPath));
        Dispose();
    }

    private protected virtual void Cleanup()
    {
    }

    /// <summary>Drains until the condition holds; fails after 10 s.</summary>
    private protected void DrainUntil(Func<bool> condition)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10), "expected records did not come");
            Reader.Wait(20);
            var sink = Sink;
            Reader.Drain(ref sink);
        }
    }

    /// <summary>A barrier: everything that was stamped until now is in the sink.</summary>
    private protected StampSnapshot Settle()
    {
        var snapshot = new StampSnapshot();
        Instance.Read(snapshot);
        var sink = Sink;
        Assert.True(Reader.Settle(ref sink, snapshot));
        return snapshot;
    }

    /// <summary>Runs a program to its end.</summary>
    private protected static int Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.Id;
    }
}
