using System.Net;
using Streams.AgentLink;
using Streams.Gateway.Tests.Support;
using Streams.Queue;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests;

/// <summary>The real agent's link against the real gateway and queue; the test is the worker.</summary>
public sealed class AgentLinkTests
{
    [Fact]
    public async Task Batches_arrive_once_in_order_and_are_freed_by_watermarks()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        using var link = NewLink(fixture, identity);
        await using var running = LinkRun.Start(link);
        Append(link, 60, 20_000);

        AssertInOrder(60, await CommitAsync(fixture, link, 60));
        Assert.True(await link.FlushAsync(TimeSpan.FromSeconds(10)), $"freed: {link.Status}");
        Assert.Equal((1UL, 60UL, 0UL), (link.Status.Sessions, link.Status.BatchesCommitted, link.Status.BatchesResent));
        await running.StopAsync();
        await fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task After_a_rewind_the_link_sends_again_what_is_not_committed()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        using var link = NewLink(fixture, identity);
        await using var running = LinkRun.Start(link);
        Append(link, 3, 2000);
        await Eventually.TrueAsync(async () => (await SeenAsync(fixture)).Count == 3, "all three came");
        var first = (await fixture.ReadAsync("agent-1", 1))[0].Headers;
        fixture.Lanes["agent-1"] = [new FlowRecord(FlowKind.Watermark, "agent-1", first.Epoch, first.Lane, 0)];
        await fixture.Flow("agent-1").TellAsync([new FlowRecord(FlowKind.Rewind, "agent-1", first.Epoch, first.Lane, 0)]);
        var seen = await Eventually.ValueAsync(() => SeenAsync(fixture), numbers => numbers.Count == 6, "all three came again");
        Assert.Equal([0U, 1U, 2U, 0U, 1U, 2U], seen);
        await fixture.Flow("agent-1").TellAsync([new FlowRecord(FlowKind.Watermark, "agent-1", first.Epoch, first.Lane, 3)]);
        Assert.True(await link.FlushAsync(TimeSpan.FromSeconds(10)), $"freed: {link.Status}");
        await running.StopAsync();
    }

    [Fact]
    public async Task A_queue_restart_is_not_seen_by_the_link()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        using var link = NewLink(fixture, identity);
        await using var running = LinkRun.Start(link);
        await Eventually.TrueAsync(() => link.Status.Connected, "connected");
        await fixture.Nats.StopAsync();
        Append(link, 20, 20_000);
        await Task.Delay(TimeSpan.FromSeconds(3));
        await fixture.Nats.RestartAsync();
        AssertInOrder(20, await CommitAsync(fixture, link, 20));
        Assert.True(await link.FlushAsync(TimeSpan.FromSeconds(20)), $"freed: {link.Status}");
        Assert.Equal((1UL, 0UL), (link.Status.Sessions, link.Status.BatchesResent));
        await running.StopAsync();
    }

    /// <summary>Numbers of the batches in the queue so far, in order.</summary>
    private static async Task<List<uint>> SeenAsync(GatewayFixture fixture) =>
        [.. (await fixture.ReadAsync("agent-1", 1)).SelectMany(message => Enumerable.Range((int)message.Headers.First, (int)message.Headers.Count))
            .Select(n => (uint)n)];

    private static AgentLink.AgentLink NewLink(GatewayFixture fixture, AgentIdentity identity)
    {
        var counter = 0UL;
        return new AgentLink.AgentLink(
            new AgentLinkOptions
            {
                Gateway = new Uri($"ws://{new IPEndPoint(IPAddress.Loopback, fixture.Server.Address.Port)}"),
                Roots = fixture.Roots,
                HostName = "host",
                AgentVersion = "test",
                BackoffBase = TimeSpan.FromMilliseconds(10),
                BackoffMax = TimeSpan.FromMilliseconds(200),
            },
            identity,
            new AgentLinkHooks { NextConnectCounter = () => ++counter });
    }

    private static void Append(AgentLink.AgentLink link, int count, int bytes)
    {
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(AppendResult.Appended, link.TryAppend(PriorityClass.Event, new Sealer(bytes)));
        }
    }

    /// <summary>Each once, and in each lane in order: what waited at the begin of the session may be a lane of its own, beside which live batches go on.</summary>
    private static void AssertInOrder(int batches, List<(uint Lane, uint N)> names)
    {
        Assert.Equal(batches, names.Count);
        Assert.All(names.GroupBy(name => name.Lane), lane => Assert.Equal(Enumerable.Range(0, lane.Count()).Select(n => (uint)n), lane.Select(name => name.N)));
    }

    /// <summary>Reads what was published and commits it: what a worker does, without storing.</summary>
    private static async Task<List<(uint Lane, uint N)>> CommitAsync(GatewayFixture fixture, AgentLink.AgentLink link, int batches)
    {
        var names = new List<(uint Lane, uint N)>();
        await using var reader = PartitionReader.Start(fixture.Worker, Subjects.PartitionOf("agent-1", 4), 0);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (names.Count < batches)
        {
            using var batch = await reader.ReadAsync(patience.Token);
            foreach (var message in batch.Messages)
            {
                Assert.Equal(link.Epoch, message.Headers.Epoch);
                for (var n = message.Headers.First; n <= message.Headers.Last; n++)
                {
                    names.Add((message.Headers.Lane, n));
                }

                var record = new FlowRecord(FlowKind.Watermark, "agent-1", message.Headers.Epoch, message.Headers.Lane, message.Headers.Last + 1);
                fixture.Lanes["agent-1"] = [record];
                await fixture.Flow("agent-1").TellAsync([record]);
            }
        }

        return names;
    }

    private readonly struct Sealer(int bytes) : IBatchSealer
    {
        public int MaxSealedBytes => bytes + 2048;

        public bool TryDigest(BatchName name, ushort catalogue, ISha256 hash, Span<byte> digest) => false;

        public int Seal(BatchName name, ushort catalogue, Span<byte> destination)
        {
            var batch = Batches.Make(name.Epoch, name.Lane, name.N, bytes);
            batch.CopyTo(destination);
            return batch.Length;
        }
    }
}
