using System.Collections.Concurrent;
using Streams.Gateway.Tests.Support;
using Streams.Queue;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests;

/// <summary>
/// The whole loop under a small pool: an agent that obeys, the gateway, the real queue, and a worker that loses messages at random.
/// </summary>
public sealed class GoBackTests
{
    private const int Lanes = 3;
    private const uint Each = 60;
    private const long Pool = 2 << 20;

    private readonly ConcurrentQueue<(uint Lane, uint N)> _orders = new();
    private readonly uint[] _expected = new uint[Lanes];

    [Fact]
    public async Task Everything_arrives_in_one_session_and_credit_never_leaks()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { PoolBytes = Pool, HeartbeatSeconds = 1 });
        using var identity = await fixture.EnrolAsync("agent-1");
        var agent = await fixture.ConnectAsync(identity);
        var worker = WorkAsync(fixture, agent.Epoch);
        var receiving = ReceiveAsync(agent);
        await SendAsync(fixture, agent);
        await worker;
        Assert.Equal(1, fixture.Counter("streams.gateway.sessions.opened{}"));
        Assert.True(fixture.Counter("streams.gateway.rewinds{}") > 3, "lanes went back");
        await agent.DisposeAsync();
        await receiving;
        await fixture.AssertNothingHeldAsync();
    }

    private bool IsDone => Enumerable.Range(0, Lanes).All(lane => Volatile.Read(ref _expected[lane]) == Each);

    private async Task SendAsync(GatewayFixture fixture, RawAgent agent)
    {
        var next = new uint[Lanes];
        var sent = 0L;
        var started = Environment.TickCount64;
        var beat = started;
        for (var turn = 0; !IsDone; turn++)
        {
            Assert.True(Environment.TickCount64 - started < 60_000, $"it stands still: {string.Join(' ', _expected)}");
            if (Environment.TickCount64 - beat > 500)
            {
                beat = Environment.TickCount64;
                await agent.HeartbeatAsync();
            }

            while (_orders.TryDequeue(out var order))
            {
                next[order.Lane] = Math.Min(next[order.Lane], order.N);
            }

            var lane = turn % Lanes;
            if (next[lane] == Each)
            {
                await Task.Delay(1);
                continue;
            }

            var plaintext = Batches.Pad(Batches.Make(agent.Epoch, (uint)lane, next[lane], 30_000));
            var bytes = Batches.FrameBytes(plaintext);
            await agent.WantAsync(LaneClass.Event, bytes, bytes * 8);
            await Eventually.TrueAsync(() => (long)agent.Credit(LaneClass.Event) >= sent + bytes, "credit comes back", TimeSpan.FromSeconds(20));
            await agent.SendDataAsync(plaintext);
            sent += bytes;
            next[lane]++;
            Assert.InRange(fixture.Server.Core.Pool.Reserved, 0, Pool);
        }
    }

    private async Task ReceiveAsync(RawAgent agent)
    {
        var orders = new LaneWatermark[Wire.Limits.MaxWatermarks];
        try
        {
            while (await agent.ReceiveFrameAsync() is { } frame)
            {
                if (frame.Type == FrameType.Rewind && WatermarkMessage.TryRead(frame.Payload, orders, out var count))
                {
                    orders.Take(count).ToList().ForEach(order => _orders.Enqueue((order.Lane, order.Committed)));
                }
            }
        }
        catch (Exception error) when (error is System.Net.WebSockets.WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The agent was disposed of.
        }
    }

    /// <summary>
    /// Admits n == expected, drops one message in twelve as if the queue had lost it, and asks for what is missing, now and then unheard.
    /// </summary>
    private async Task WorkAsync(GatewayFixture fixture, Epoch epoch)
    {
        var random = new Random(3);
        var asked = new long[Lanes];
        await using var reader = PartitionReader.Start(fixture.Worker, Subjects.PartitionOf("agent-1", 4), 0);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!IsDone)
        {
            using var batch = await reader.ReadAsync(patience.Token);
            foreach (var headers in batch.Messages.Select(message => message.Headers).Where(_ => random.Next(12) != 0))
            {
                ref var expected = ref _expected[headers.Lane];
                if (headers.First <= expected)
                {
                    Volatile.Write(ref expected, Math.Max(expected, headers.Last + 1));
                    asked[headers.Lane] = 0;
                }
                else if (Environment.TickCount64 - asked[headers.Lane] > 500)
                {
                    asked[headers.Lane] = Environment.TickCount64;
                    await fixture.Flow("agent-1").TellAsync([new FlowRecord(FlowKind.Rewind, "agent-1", epoch, headers.Lane, expected)]);
                }
            }

            // What was lost at a lane's end shows in no later message: a worker that has read all says what it waits for, when it is asked.
            fixture.Lanes["agent-1"] = [.. Enumerable.Range(0, Lanes)
                .Select(lane => new FlowRecord(FlowKind.Rewind, "agent-1", epoch, (uint)lane, _expected[lane]))];
        }
    }
}
