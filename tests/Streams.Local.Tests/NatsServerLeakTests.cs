using Streams.Testing;

namespace Streams.Local.Tests;

/// <summary>What the tripwire counts is the whole process's: no other test may start children meanwhile.</summary>
[CollectionDefinition(nameof(NatsServerLeakTests), DisableParallelization = true)]
public sealed class NatsServerLeakCollection;

[Collection(nameof(NatsServerLeakTests))]
public sealed class NatsServerLeakTests
{
    [Fact]
    public async Task Starts_survives_kill_and_stops_leaving_nothing()
    {
        var wire = LeakTripwire.Set();
        int pid;
        await using (var nats = await NatsProcess.StartAsync())
        {
            var port = nats.Url.Port;
            await nats.KillAsync();
            await nats.RestartAsync();
            Assert.Equal(port, nats.Url.Port);
            pid = nats.Server.Process.Id;
            Assert.True(LeakTripwire.IsRunning(pid));
        }

        LeakTripwire.AssertEnded(pid);
        await wire.AssertNothingLeftAsync();
    }
}
