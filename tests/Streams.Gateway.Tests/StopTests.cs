using Streams.Gateway.Tests.Support;
using Streams.Testing;
using Streams.Wire;

namespace Streams.Gateway.Tests;

/// <summary>Runs alone: it counts the sockets and children of the whole process.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;

[Collection(nameof(AloneCollection))]
public sealed class StopTests
{
    [Fact]
    public async Task A_stop_says_goodbye_finishes_what_it_has_and_leaves_nothing()
    {
        // The first run loads assemblies, which keep descriptors.
        await RunAsync();
        var wire = LeakTripwire.Set();
        await RunAsync();
        await wire.AssertNothingLeftAsync();
    }

    private static async Task RunAsync()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, 0)));
        await agent.HeartbeatAsync();
        await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.received{event}") == 1, "it is inside");
        var core = fixture.Server.Core;
        var stop = fixture.Server.StopAsync(CancellationToken.None);
        Assert.Equal(CloseCode.Draining, await agent.WaitForCloseAsync());
        await agent.DisposeAsync();
        await stop;
        Assert.Single(await fixture.ReadAsync("agent-1", 1));
        Assert.Equal((0L, 0L, 0), (core.Buffers.Rented, core.Pool.Reserved, core.Registry.Count));
    }
}
