using Streams.AgentLink.Tests.Gateway;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests;

public sealed class SessionTests
{
    [Fact]
    public async Task WhatIsNotCommittedIsCountedPerClass()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.GrantAllAsync(1UL << 30);
        for (var rows = 1; rows <= 3; rows++)
        {
            // Longer than a block of the retention, so that headers lie across blocks too.
            Assert.Equal(AppendResult.Appended, link.Link.TryAppend(PriorityClass.Event, new TestSealer(8150, PriorityClass.Event, rows)));
        }

        Assert.Equal([new UncommittedClass(1, 3, 6)], link.Link.Uncommitted());
        for (var received = 0; received < 3;)
        {
            received += (await peer.ReceiveDataAsync()).Batches.Count;
        }

        await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, 2));
        for (var wait = 0; link.Link.Uncommitted() is [{ Batches: 3 }] && wait < 200; wait++)
        {
            await Task.Delay(50);
        }

        Assert.Equal([new UncommittedClass(1, 1, 3)], link.Link.Uncommitted());
    }

    [Fact]
    public async Task ConnectsConfirmsDeliversAndFreesOnWatermark()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        Assert.Equal(AppendResult.Appended, link.Append(PriorityClass.Event, 1000));
        Assert.Equal(AppendResult.Appended, link.Append(PriorityClass.Event, 2000));
        await using var peer = await gateway.AcceptSessionAsync();
        Assert.Equal("agent-001", peer.Auth!.AgentId);
        Assert.Equal(link.Epoch, peer.Auth.Epoch);
        Assert.Equal(1UL, peer.Auth.ConnectCounter);
        Assert.Equal(peer.Generation, peer.Ready!.Generation);
        Assert.Equal("host-1", peer.Ready.Host);

        var (_, heartbeat) = await peer.ReceiveAsync(FrameType.Heartbeat);
        Assert.True(HeartbeatMessage.TryRead(heartbeat, out var beat));
        Assert.Equal(3000u, beat!.RetainedBytes);
        var (_, want) = await peer.ReceiveAsync(FrameType.Want);
        var wants = new ClassWant[Wire.Limits.LaneClasses];
        Assert.True(WantMessage.TryRead(want, wants));
        Assert.Equal(1024u + FrameHeader.Overhead, wants[(int)LaneClass.Event].NextFrameBytes);
        Assert.True(wants[(int)LaneClass.Event].QueuedBytes >= 3072 + FrameHeader.Overhead);

        await peer.GrantAsync(LaneClass.Event, wants[(int)LaneClass.Event].QueuedBytes);
        var (laneClass, batches) = await peer.ReceiveDataAsync();
        Assert.Equal(LaneClass.Event, laneClass);
        Assert.Equal([0u, 1u], batches.Select(b => b.Name.N));
        Assert.All(batches, b => Assert.Equal(link.Link.Epoch, b.Name.Epoch));
        Assert.False(await link.Link.FlushAsync(TimeSpan.FromMilliseconds(50)));

        await peer.CommitAsync(new LaneWatermark(link.Epoch, batches[0].Name.Lane, 2));
        Assert.True(await link.Link.FlushAsync(ScriptedGateway.Deadline));
        var status = link.Link.Status;
        Assert.True(status.Connected);
        Assert.Equal(("gw-test", 2UL, 2UL, 0L), (status.Gateway, status.BatchesAppended, status.BatchesCommitted, status.RetainedBytes));
    }

    [Fact]
    public async Task StopClosesCleanly()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.ReceiveAsync(FrameType.Heartbeat);
        var stopped = link.StopAsync();
        var closed = await Assert.ThrowsAsync<InvalidOperationException>(() => peer.ReceiveAsync());
        Assert.Equal("closed 1000", closed.Message);
        await stopped;
    }

    [Fact]
    public async Task UncommittedBatchesAreSentAgainFromTheWatermarkAndLiveDataOpensANewLane()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        var first = new Dictionary<BatchName, byte[]>();
        await using (var peer = await gateway.AcceptSessionAsync())
        {
            await peer.GrantAllAsync(1 << 20);
            for (var i = 0; i < 10; i++)
            {
                link.Append(PriorityClass.Event, 3000 + i);
            }

            while (first.Count < 10)
            {
                foreach (var (name, bytes) in (await peer.ReceiveDataAsync()).Batches)
                {
                    first.Add(name, bytes);
                }
            }

            await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, 4));
            peer.Cut();
        }

        link.Next(LinkEventKind.Disconnected);
        Assert.Equal(AppendResult.Appended, link.Append(PriorityClass.Event, 500));
        await using var again = await gateway.AcceptSessionAsync(p => p.Watermarks = [new LaneWatermark(link.Epoch, 0, 6)]);
        Assert.Equal(2UL, again.Auth!.ConnectCounter);
        await again.GrantAllAsync(1 << 20);
        var second = new List<(BatchName Name, byte[] Bytes)>();
        while (second.Count < 5)
        {
            second.AddRange((await again.ReceiveDataAsync()).Batches);
        }

        Assert.Equal([6u, 7u, 8u, 9u], second.Where(b => b.Name.Lane == 0).Select(b => b.Name.N));
        Assert.All(second.Where(b => b.Name.Lane == 0), b => Assert.Equal(first[b.Name], b.Bytes));
        var live = Assert.Single(second, b => b.Name.Lane != 0);
        Assert.Equal((1u, 0u), (live.Name.Lane, live.Name.N));
        Assert.Equal(4UL, link.Link.Status.BatchesResent);
    }

    [Fact]
    public async Task AFullRetentionRefusesAndAWatermarkMakesRoom()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway, o => o with { RetentionBytes = 512 * 1024 });
        var appended = 0u;
        while (link.Append(PriorityClass.Event, 10_000) == AppendResult.Appended)
        {
            appended++;
        }

        Assert.InRange(appended, 40u, 52u);
        Assert.True(link.Link.Status.RetainedBytes <= 512 * 1024);
        Assert.False(link.Link.WaitForSpace(TimeSpan.FromMilliseconds(20)));

        // Another class still has its own part.
        Assert.Equal(AppendResult.Appended, link.Append(PriorityClass.Metric, 10_000));

        await using var peer = await gateway.AcceptSessionAsync();
        Assert.Equal(AppendResult.Full, link.Append(PriorityClass.Event, 10_000));
        await peer.GrantAllAsync(4 << 20);
        for (var got = 0u; got < appended;)
        {
            var (laneClass, batches) = await peer.ReceiveDataAsync();
            got += laneClass == LaneClass.Event ? (uint)batches.Count : 0;
        }

        Assert.Equal(AppendResult.Full, link.Append(PriorityClass.Event, 10_000));
        await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, 10));
        Assert.True(link.Link.WaitForSpace(ScriptedGateway.Deadline));
        Assert.Equal(AppendResult.Appended, link.Append(PriorityClass.Event, 10_000));

        // The lane that waited for the session was sealed when it began: what is live does not stand behind it.
        var (_, next) = await peer.ReceiveDataAsync();
        while (next[0].Name.Lane < 2)
        {
            (_, next) = await peer.ReceiveDataAsync();
        }

        Assert.Equal(0u, next[0].Name.N);
    }

    [Fact]
    public async Task ThreeMissingHeartbeatsEndTheSessionAndAnotherFollows()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptSessionAsync(p => p.HeartbeatSeconds = 1);
        var started = TimeProvider.System.GetTimestamp();
        var closed = await Assert.ThrowsAsync<InvalidOperationException>(() => peer.ReceiveAsync(FrameType.Goodbye));
        Assert.Equal($"closed {(int)CloseCode.HeartbeatLost}", closed.Message);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 2.5, 5);
        await using var next = await gateway.AcceptSessionAsync();
        Assert.NotNull(next.Ready);
    }

    [Fact]
    public async Task HeartbeatsOfTheGatewayKeepTheSessionAndGiveTheRoundTrip()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        // Six seconds without a frame end the session; a machine that stands still for three does not.
        await using var peer = await gateway.AcceptSessionAsync(p => p.HeartbeatSeconds = 2);
        for (var i = 0; i < 5; i++)
        {
            var (_, payload) = await peer.ReceiveAsync(FrameType.Heartbeat);
            Assert.True(HeartbeatMessage.TryRead(payload, out var heartbeat));
            var answer = new byte[GatewayHeartbeatMessage.GetLength(0)];
            GatewayHeartbeatMessage.Write(1, heartbeat!.SentAt, [], answer);
            await peer.SendAsync(FrameType.GatewayHeartbeat, answer);
        }

        Assert.True(link.Link.Status.Connected);
        Assert.Equal(1UL, link.Link.Status.Sessions);
        Assert.InRange(link.Link.Status.RoundTripMicroseconds, 1, 1_000_000);
    }

    [Fact]
    public async Task GoodbyeIsHonoured()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.GoodbyeAsync(GoodbyeReason.Drain, 600);
        var ended = link.Next(LinkEventKind.Disconnected);
        Assert.Contains("Drain", ended.Detail, StringComparison.Ordinal);
        Assert.InRange(ended.RetryIn.TotalMilliseconds, 600, 750);
        var started = TimeProvider.System.GetTimestamp();
        await using var next = await gateway.AcceptSessionAsync();
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds, 400, 3000);
    }

    [Fact]
    public async Task AnExpiredSessionIsFollowedByAnotherAtOnce()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptSessionAsync(p => p.SessionSeconds = 1);
        var closed = await Assert.ThrowsAsync<InvalidOperationException>(() => peer.ReceiveAsync(FrameType.Goodbye));
        Assert.Equal($"closed {(int)CloseCode.SessionExpired}", closed.Message);
        await using var next = await gateway.AcceptSessionAsync();
        Assert.Equal(2UL, next.Generation);
    }

    [Fact]
    public async Task WhatTheServerForgotAndIsGoneHereIsAnsweredByTombstones()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using (var peer = await gateway.AcceptSessionAsync())
        {
            await peer.GrantAllAsync(1 << 20);
            for (var got = 0; got < 4;)
            {
                link.Append(PriorityClass.Event, 1000);
                got += (await peer.ReceiveDataAsync()).Batches.Count;
            }

            await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, 2));
            while (link.Link.Status.BatchesCommitted < 2)
            {
                await Task.Delay(2);
            }

            peer.Cut();
        }

        await using var again = await gateway.AcceptSessionAsync(p => p.Watermarks = [new LaneWatermark(link.Epoch, 0, 1)]);
        link.Next(LinkEventKind.LaneRegressed);
        await again.GrantAllAsync(1 << 20);
        var batches = new List<(BatchName Name, byte[] Bytes)>();
        while (batches.Count < 3)
        {
            batches.AddRange((await again.ReceiveDataAsync()).Batches);
        }

        Assert.Equal([1u, 2u, 3u], batches.Select(b => b.Name.N));
        Assert.Equal([Tombstone.BareSize, 1000, 1000], batches.Select(b => b.Bytes.Length));
        Assert.Equal(1UL, link.Link.Status.BatchesServerLost);
        await again.CommitAsync(new LaneWatermark(link.Epoch, 0, 4));
        Assert.True(await link.Link.FlushAsync(ScriptedGateway.Deadline));
    }

    [Fact]
    public async Task ACopyThatSendsUnderTheSameEpochIsToldAndNewBatchesGetAnother()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        var epoch = link.Epoch;
        await using var peer = await gateway.AcceptSessionAsync(p => p.Watermarks = [new LaneWatermark(epoch, 0, 5)]);
        Assert.Contains("a copy of it runs", link.Next(LinkEventKind.LaneAhead).Detail, StringComparison.Ordinal);
        await peer.GrantAllAsync(1 << 20);
        link.Append(PriorityClass.Event, 1000);
        var (_, batches) = await peer.ReceiveDataAsync();
        Assert.NotEqual(epoch, link.Epoch);
        Assert.Equal((link.Link.Epoch, 0u), (batches[0].Name.Epoch, batches[0].Name.N));
        await peer.CommitAsync(new LaneWatermark(link.Epoch, batches[0].Name.Lane, 1));
        Assert.True(await link.Link.FlushAsync(ScriptedGateway.Deadline));
    }

    [Fact]
    public async Task AWatermarkAboveWhatWasSentEndsTheSession()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptSessionAsync();
        link.Append(PriorityClass.Event, 1000);
        await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, 1));
        var closed = await Assert.ThrowsAsync<InvalidOperationException>(() => peer.ReceiveAsync(FrameType.Goodbye));
        Assert.Equal($"closed {(int)CloseCode.Protocol}", closed.Message);
        Assert.Equal(1000, link.Link.Status.RetainedBytes);
    }
}
