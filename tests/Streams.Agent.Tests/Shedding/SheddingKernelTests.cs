using Streams.Agent.Modules.Observability.Shedding;
using Streams.Agent.Tests.Observability;
using Streams.Schema;
using Streams.Testing;
using Xunit.Abstractions;

namespace Streams.Agent.Tests.Shedding;

/// <summary>A full spool makes the kernel count instead of emitting, least valuable first, and everything still adds up.</summary>
public sealed class SheddingKernelTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Under_pressure_the_kernel_sheds_and_counts_and_execs_come_through()
    {
        if (!RunningSensor.IsSupported)
        {
            output.WriteLine("skipped: this kernel or user may not attach tp_btf/sched_process_exec");
            return;
        }

        using var sensor = new RunningSensor("shed", new FastClock());
        sensor.Start();
        RunningSensor.RunTrue(20);
        sensor.Sink.Fill = 1;
        var highest = $"(level {ShedSteps.Highest} of";
        await Eventually.TrueAsync(() => sensor.Said.Contains(highest, StringComparison.Ordinal), "the highest level");
        Assert.True(sensor.Module.IsShedding);
        RunningSensor.RunTrue(20);
        sensor.Sink.Fill = 0;
        await Eventually.TrueAsync(() => !sensor.Module.IsShedding, "the end of shedding");
        RunningSensor.RunTrue(20);
        sensor.Module.Stop(TimeSpan.FromSeconds(5));
        output.WriteLine(sensor.Said);

        var exec = sensor.Ledger("process_exec");
        var exit = sensor.Ledger("process_exit");
        Assert.Empty(exec.Lost);
        Assert.True(exec.Rows >= 60);
        Assert.Equal([LossCause.Shed], exit.Lost.Keys);
        Assert.True(exit.Lost[LossCause.Shed] >= 20);
        Assert.True(exit.Rows >= 40);
        Assert.Equal(exit.Stamped, exit.Rows + exit.Lost[LossCause.Shed]);
        Assert.Equal(exec.Stamped, exec.Rows);
        // One level after the other.
        for (var level = 1; level <= ShedSteps.Highest; level++)
            Assert.Contains($"sheds {ShedSteps.NameOf(level)} (level {level} of", sensor.Said, StringComparison.Ordinal);
        Assert.Contains("sheds nothing (level 0 of", sensor.Said, StringComparison.Ordinal);
    }
}
