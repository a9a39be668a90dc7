using System.Diagnostics;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

public sealed class WakeupTests() : SensorTest(wakeupBytes: 4096)
{
    [Fact]
    public void Passing_the_threshold_wakes_the_reader()
    {
        var sink = Sink;
        Reader.Drain(ref sink);
        using var shell = Process.Start("/bin/sh", ["-c", "i=0; while [ $i -lt 60 ]; do /bin/true; i=$((i+1)); done"]);
        var started = Stopwatch.GetTimestamp();
        Assert.True(Reader.Wait(20_000));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(15));
        Assert.True(Reader.PendingBytes >= 4096);
        shell.WaitForExit();
    }

    [Fact]
    public void Below_the_threshold_records_are_there_after_the_timeout()
    {
        var pid = Run("/bin/true");
        Reader.Wait(20);
        Settle();
        Assert.Contains(Sink.Execs(), exec => exec.Fixed.Pid == pid);
        Assert.Contains(Sink.Of<ProcessExitRecord>(RecordClass.ProcessExit), exit => exit.Pid == pid);
    }
}
