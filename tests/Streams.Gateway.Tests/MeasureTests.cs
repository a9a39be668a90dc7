using System.Diagnostics;
using System.Net;
using Akka.TestKit.Xunit2;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Gateway.Ingest;
using Streams.Gateway.Queueing;
using Streams.Gateway.Tests.Support;
using Streams.Stages;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Keys;
using Xunit.Abstractions;

namespace Streams.Gateway.Tests;

/// <summary>
/// What an idle session costs beyond the leanest WebSocket that Kestrel gives, both with a client of the same kind in this process, so that the client drops out.
/// The figure is in the output (8 KB when this was written, the agent's own session objects and the log lines of the test included); the bound catches a
/// buffer or a timer per session. Runs alone.
/// </summary>
[Collection(nameof(AloneCollection))]
public sealed class MeasureTests(ITestOutputHelper output)
{
    private const int Sessions = 1000;

    [Fact]
    public async Task An_idle_session_costs_at_most_12_KB_more_than_an_echo_connection()
    {
        var echo = await EchoAsync();
        var session = await GatewayAsync();
        output.WriteLine($"managed heap per idle connection, with its client: echo {echo} bytes, gateway session {session} bytes, difference {session - echo}");
        Assert.True(session - echo < 12 * 1024, $"{session - echo} bytes");
    }

    private static async Task<long> EchoAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var web = builder.Build();
        web.Urls.Add("http://127.0.0.1:0");
        web.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        web.MapGet(Protocol.Path, async http =>
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync(Protocol.BinarySubprotocol);
            await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
        });
        await web.StartAsync();
        var address = new IPEndPoint(IPAddress.Loopback, new Uri(web.Urls.First()).Port);
        await using var agents = new Agents();
        var before = await MemoryAsync();
        for (var i = 0; i < Sessions; i++)
        {
            agents.Add(await RawAgent.UpgradeAsync(address, Protocol.BinarySubprotocol));
        }

        return (await MemoryAsync() - before) / Sessions;
    }

    private static async Task<long> GatewayAsync()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { HeartbeatSeconds = 600 });
        var identities = new List<Wire.Handshake.AgentIdentity>();
        for (var i = 0; i < Sessions; i++)
        {
            identities.Add(await fixture.EnrolAsync($"agent-{i}"));
        }

        await using (var agents = new Agents())
        {
            var before = await MemoryAsync();
            foreach (var identity in identities)
            {
                agents.Add(await fixture.ConnectAsync(identity));
            }

            await Eventually.TrueAsync(() => fixture.Server.Sessions == Sessions, "all have begun");
            var with = await MemoryAsync();
            identities.ForEach(identity => identity.Dispose());
            return (with - before) / Sessions;
        }
    }

    private static async Task<long> MemoryAsync()
    {
        await Task.Delay(500);
        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private sealed class Agents : List<RawAgent>, IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var agent in this)
            {
                agent.Socket.Abort();
                await agent.DisposeAsync();
            }
        }
    }
}

/// <summary>Frames through one graph, decryption and admission included, into an outlet that acknowledges at once.</summary>
[Collection(nameof(AloneCollection))]
public sealed class GraphRateTests(ITestOutputHelper output) : TestKit(GraphSettings.Configuration, output: output)
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public async Task One_graph_carries_thousands_of_frames_of_16_KB_a_second()
    {
        using var metrics = new GatewayMetrics();
        var context = TestSession.NewContext(metrics, 256 << 20);
        using var arena = new KeyArena(64);
        var outlet = new PartitionOutlet(0, 10_000, metrics, NullLogger.Instance);
        outlet.Start(new ScriptedQueue(outlet));
        using var materializer = GraphSettings.CreateMaterializer(Sys, "rate");
        await using var graph = new IngestGraph("rate", 1 << 20, materializer, () => IngestStages.Create(metrics), [outlet], _ => { });
        graph.Start();
        await Eventually.TrueAsync(() => graph.State == GraphState.Running, "it runs");
        using var session = new TestSession(context, arena);
        const int Frames = 6000;
        var sealedFrames = Enumerable.Range(0, Frames).Select(n => session.Seal(Batches.Pad(Batches.Make(session.Epoch, 1, (uint)n, 16_000)))).ToList();
        var started = Stopwatch.GetTimestamp();
        foreach (var frame in sealedFrames)
        {
            Assert.True(graph.TryPost(session.Receive(frame)));
        }

        await Eventually.TrueAsync(() => context.Buffers.Rented == 0, "all are through", TimeSpan.FromSeconds(60));
        var rate = Frames / Stopwatch.GetElapsedTime(started).TotalSeconds;
        _output.WriteLine($"one graph: {rate:0} frames/s of {sealedFrames[0].Length} bytes = {rate * sealedFrames[0].Length / 1e6:0} MB/s");
        Assert.True(rate > 2000, $"{rate:0} frames/s");
        await outlet.DisposeAsync();
    }
}
