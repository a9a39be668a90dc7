namespace Streams.Host.Roles;

/// <summary>
/// Bounds a stop as a whole. Its steps have limits of their own whose sum nobody waits for; what is cut off is as after a crash, and the
/// next start recovers it.
/// </summary>
internal static class StopLimit
{
    /// <summary>Exit code of a stop that was cut off.</summary>
    private const int CutOff = 1;

    /// <summary>From the signal on the process has so long. Dispose when the stop has ended.</summary>
    public static IDisposable Arm(CancellationToken stop, TimeSpan limit)
    {
        // A timer of its own thread's making: what hangs may hang on the pool.
        var ended = new ManualResetEventSlim();
        var registration = stop.Register(() => new Thread(() =>
        {
            if (!ended.Wait(limit))
            {
                Console.Error.WriteLine(
                    $"streams: the stop took longer than {limit.TotalSeconds:0.#} s and was cut off; the next start recovers it");
                Environment.Exit(CutOff);
            }
        })
        {
            IsBackground = true,
            Name = "stop limit",
        }.Start());
        return new Armed(registration, ended);
    }

    private sealed class Armed(CancellationTokenRegistration registration, ManualResetEventSlim ended) : IDisposable
    {
        public void Dispose()
        {
            registration.Dispose();
            // The thread may still look at it: it is left to the collector.
            ended.Set();
        }
    }
}
