using System.Globalization;
using LibbpfSharp.Probes;
using Streams.Schema;
using Streams.Testing;
using Xunit.Abstractions;

namespace Streams.Agent.Tests.Takeover;

/// <summary>
/// The sensor is killed again and again, at any moment, while every CPU starts programs: the numbers of all lives add up.
/// </summary>
public sealed class KilledAgentTests(ITestOutputHelper output)
{
    private static int Kills => int.Parse(Environment.GetEnvironmentVariable("STREAMS_SENSOR_KILLS") ?? "10", CultureInfo.InvariantCulture);

    // A ring of 64 MiB has room for more than the load starts in all; one of 16 KiB is full before the next life is there, and while the
    // spool is slow.
    [Theory]
    [InlineData(64 << 20, 0, false)]
    [InlineData(16 << 10, 5, true)]
    public async Task Rows_and_losses_of_all_lives_are_what_was_stamped(int ringBytes, int delayMilliseconds, bool overflows)
    {
        if (!KernelProbe.CanAttach(AttachPoint.BtfTracepoint, "sched_process_exec").Supported)
        {
            output.WriteLine("skipped: this kernel or user may not attach tp_btf/sched_process_exec");
            return;
        }

        using var directory = new TempDirectory("killed");
        using var sensor = new SensorProcess(directory.Path, $"killed-{Environment.ProcessId}-{ringBytes}", ringBytes, delayMilliseconds);
        sensor.Start();
        await sensor.ReadyAsync();
        using var load = new Workload();
        var random = new Random(ringBytes);
        for (var kill = 0; kill < Kills; kill++)
        {
            switch (kill % 3)
            {
                case 0:
                    // At any moment of its work.
                    if (kill > 0)
                        await sensor.ReadyAsync();
                    await Task.Delay(random.Next(50, 700));
                    sensor.Kill();
                    sensor.Start(dieAt: random.Next(1, 12));
                    break;
                case 1:
                    // Between the spool and the position.
                    sensor.WaitForDeath();
                    sensor.Start();
                    break;
                default:
                    // Somewhere in its start, perhaps in the middle of taking over.
                    await Task.Delay(random.Next(1000));
                    sensor.Kill();
                    sensor.Start();
                    break;
            }
        }

        if (Kills % 3 == 1)
        {
            // The last one was started to die.
            sensor.WaitForDeath();
            sensor.Start();
        }

        await sensor.ReadyAsync();
        var started = load.Stop();
        sensor.Stop();
        Assert.False(Directory.Exists(sensor.Pins), "pins were left");
        Check(directory.Path, load.Mark, started, overflows, sensor.Said);
    }

    private void Check(string directory, string mark, ulong started, bool overflows, string said)
    {
        using var ledger = LifeLedger.Read(directory, mark);
        ledger.CheckEnds();
        ulong restart = ledger.Lost(LossCause.AgentRestart), full = ledger.Lost(LossCause.RingFull);
        var missed = ledger.MissedOf("process_exec");
        output.WriteLine($"{started} programs started, {ledger.Marks.Count} rows of them, {restart} agent_restart, {full} ring_full, "
            + $"{missed} missed in hand-overs, {Kills} kills");
        output.WriteLine(said);
        Assert.Single(ledger.Epochs);
        Assert.Equal(ledger.Marks.Count, ledger.Marks.Distinct().Count());
        Assert.Equal(0ul, ledger.Lost(LossCause.Unknown));
        Assert.True(restart > 0, "no life was killed with records in its memory");
        Assert.Equal(overflows, full > 0);
        // Nothing escaped uncounted, not between two lives either. (Losses and missed are also of others' programs: not an equality.)
        var counted = (ulong)ledger.Marks.Count + ledger.LostOf("process_exec") + missed;
        Assert.True(started <= counted, $"{started} programs were started, {counted} are accounted for");
        Assert.DoesNotContain("please report", said, StringComparison.Ordinal);
    }
}
