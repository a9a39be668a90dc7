using Streams.AgentLink.Spool;
using Streams.AgentLink.Tests.Gateway;
using Streams.Schema;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests.Spool;

/// <summary>A real link with a spool against a scripted gateway.</summary>
public sealed class SpoolSessionTests : IDisposable
{
    private readonly SpoolFolder _folder = new();
    private readonly ScriptedGateway _gateway = new();

    [Fact]
    public async Task ARewindIsObeyedInTheSessionAlsoBelowTheWatermark()
    {
        await using var link = Link();
        await using var peer = await _gateway.AcceptSessionAsync();
        await peer.GrantAllAsync(1 << 24);
        for (var i = 0; i < 10; i++)
        {
            link.Append(PriorityClass.Event, 3000 + i);
        }

        var first = await ReceiveAsync(peer, 10);
        await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, 6));
        await Until(() => link.Link.Status.BatchesCommitted == 6);
        await RewindAsync(peer, new LaneWatermark(link.Epoch, 0, 3));
        var again = await ReceiveAsync(peer, 7);
        Assert.Equal(first[3..].Select(b => b.Name), again.Select(b => b.Name));
        Assert.Equal(first[3..].Select(b => b.Bytes), again.Select(b => b.Bytes));
        Assert.Equal(7UL, link.Link.Status.BatchesRewound);

        // Nothing beyond it was sent: nothing to do. The next batch follows as if nothing had been said.
        await RewindAsync(peer, new LaneWatermark(link.Epoch, 0, 10), new LaneWatermark(link.Epoch + 1, 0, 0));
        link.Append(PriorityClass.Event, 200);
        Assert.Equal(10u, (await ReceiveAsync(peer, 1))[0].Name.N);
        await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, 11));
        Assert.True(await link.Link.FlushAsync(ScriptedGateway.Deadline));
    }

    [Fact]
    public async Task WhatWasCommittedAndIsGoneIsAnsweredByTombstonesInTheSession()
    {
        await using var link = Link();
        await using var peer = await _gateway.AcceptSessionAsync();
        await peer.GrantAllAsync(1 << 24);
        for (var i = 0; i < 3; i++)
        {
            link.Append(PriorityClass.Event, 1000);
        }

        await ReceiveAsync(peer, 3);
        await SendAsync(peer, FrameType.Hold, new LaneWatermark(link.Epoch, 0, 3)); // seals it
        await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, 3));
        await Until(() => _folder.Segments.Length == 0);
        await RewindAsync(peer, new LaneWatermark(link.Epoch, 0, 1));
        var gone = await ReceiveAsync(peer, 2);
        Assert.Equal([1u, 2u], gone.Select(b => b.Name.N));
        Assert.All(gone, b => Assert.Equal(Tombstone.BareSize, b.Bytes.Length));
        Assert.Equal(2UL, link.Link.Status.BatchesServerLost);
        await peer.CommitAsync(new LaneWatermark(link.Epoch, 0, 3));
        Assert.True(await link.Link.FlushAsync(ScriptedGateway.Deadline));
    }

    [Fact]
    public async Task AHeldLaneWaitsForTheNextSessionAndItsClassToo()
    {
        await using var link = Link();
        await using (var peer = await _gateway.AcceptSessionAsync())
        {
            await peer.GrantAllAsync(1 << 24);
            link.Append(PriorityClass.Event, 1000);
            Assert.Equal((0u, 0u), NameOf(await ReceiveAsync(peer, 1)));
            await SendAsync(peer, FrameType.Hold, new LaneWatermark(link.Epoch, 0, 0));
            await Until(() => link.Link.Status.LanesHeld == 1);

            // The same class waits in one more lane, however many there are; another class of the same priority goes on.
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(AppendResult.Appended, link.Append(PriorityClass.Event, 1000));
            }

            var other = new TestSealer(700, PriorityClass.Event, classId: 2);
            Assert.Equal(AppendResult.Appended, link.Link.TryAppend(PriorityClass.Event, other));
            Assert.Equal(700, (await ReceiveAsync(peer, 1))[0].Bytes.Length);
            Assert.Equal((3, 2), (link.Link.Status.Lanes, link.Link.Status.ParkedLanes));
            peer.Cut();
        }

        await using var again = await _gateway.AcceptSessionAsync();
        await again.GrantAllAsync(1 << 24);
        var all = await ReceiveAsync(again, 22);
        Assert.Equal(21, all.Count(b => b.Bytes.Length == 1000));
        Assert.Equal(0, link.Link.Status.ParkedLanes);
    }

    [Fact]
    public async Task WhatADeadProcessLeftIsSentUnderItsOwnNamesAndLiveDataIsNotBehindIt()
    {
        UInt128 oldEpoch;
        using (var dead = Unconnected())
        {
            oldEpoch = ToNumber(dead.Epoch);
            for (var i = 0; i < 60; i++)
            {
                Assert.Equal(AppendResult.Appended, dead.TryAppend(PriorityClass.Event, new TestSealer(2000 + i, PriorityClass.Event)));
            }
        }

        await using var link = Link(o => o with { MaxFrameBytes = Wire.Limits.MinGrantBytes });
        Assert.NotEqual(oldEpoch, link.Epoch);
        await using var peer = await _gateway.AcceptSessionAsync(p => p.Watermarks = [new LaneWatermark(oldEpoch, 0, 10)]);
        for (var i = 0; i < 60; i++)
        {
            link.Append(PriorityClass.Event, 2000);
        }

        await peer.GrantAllAsync(1 << 24);
        var received = await ReceiveAsync(peer, 110);
        var backlog = received.Where(b => ToNumber(b.Name.Epoch) == oldEpoch).ToList();
        Assert.Equal(Enumerable.Range(10, 50).Select(n => (uint)n), backlog.Select(b => b.Name.N));
        Assert.Equal(Enumerable.Range(10, 50).Select(n => 2000 + n), backlog.Select(b => b.Bytes.Length));

        // Seven batches a frame: while there is live data, three frames of four carry it.
        var lastLive = received.FindLastIndex(b => ToNumber(b.Name.Epoch) == link.Epoch);
        Assert.InRange(received.Take(lastLive).Count(b => ToNumber(b.Name.Epoch) == oldEpoch), 7, 28);

        await peer.CommitAsync(new LaneWatermark(oldEpoch, 0, 60), new LaneWatermark(link.Epoch, received[lastLive].Name.Lane, 60));
        Assert.True(await link.Link.FlushAsync(ScriptedGateway.Deadline));
        Assert.DoesNotContain(_folder.Segments, s => s.Contains(oldEpoch.ToString("x32"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task ACommitLetsTheNextLaneOfALongBacklogBegin()
    {
        var epochs = new HashSet<UInt128>();
        for (var i = 0; i < 60; i++)
        {
            using var dead = Unconnected();
            epochs.Add(ToNumber(dead.Epoch));
            Assert.Equal(AppendResult.Appended, dead.TryAppend(PriorityClass.Event, new TestSealer(500, PriorityClass.Event)));
        }

        await using var link = Link();
        await using var peer = await _gateway.AcceptSessionAsync();
        await peer.GrantAllAsync(1 << 24);
        var sent = await ReceiveAsync(peer, 58);
        await peer.CommitAsync(new LaneWatermark(ToNumber(sent[0].Name.Epoch), sent[0].Name.Lane, 1));
        sent.AddRange(await ReceiveAsync(peer, 1));
        Assert.Equal(59, sent.Select(b => b.Name.Epoch).Distinct().Count());
        Assert.Subset(epochs, sent.Select(b => ToNumber(b.Name.Epoch)).ToHashSet());
    }

    [Fact]
    public void WhatADeadProcessLeftIsTold()
    {
        using (var dead = Unconnected())
        {
            for (var i = 0u; i < 3; i++)
            {
                Assert.Equal(AppendResult.Appended, dead.TryAppend(PriorityClass.Event, new LedgerSealer(1 + (i * 100), 10)));
            }
        }

        using var next = Unconnected();
        Assert.Equal(AppendResult.Appended, next.TryAppend(PriorityClass.Event, new LedgerSealer(9000, 1)));
        var told = new List<(ushort Class, ushort Cpu, ulong First, ulong Last, uint Rows, ulong Lost)>();
        next.VisitSpooled((Epoch sensor, ushort classId, in LedgerEntry entry, ReadOnlySpan<LossCount> losses) =>
        {
            Assert.Equal(SpoolBatch.Sensor, sensor);
            told.Add((classId, entry.Cpu, entry.First, entry.Last, entry.Rows, losses[0].Count));
        });
        Assert.Equal(
            Enumerable.Range(0, 3).SelectMany(i => Enumerable.Range(0, 2).Select(cpu =>
                (ProcessClasses.Exec.Id, (ushort)cpu, 1UL + ((ulong)i * 100), 11UL + ((ulong)i * 100), 10u, 1UL))), told);
        Assert.InRange(next.FillOf(PriorityClass.Event), 0.00001, 0.01);
        Assert.Equal(0, next.FillOf(PriorityClass.Metric));
    }

    [Fact]
    public async Task WhatADeadProcessLeftIsToldForAWhileAlsoWhenItIsCommitted()
    {
        UInt128 oldEpoch;
        using (var dead = Unconnected())
        {
            oldEpoch = ToNumber(dead.Epoch);
            Assert.Equal(AppendResult.Appended, dead.TryAppend(PriorityClass.Event, new LedgerSealer(1, 10)));
        }

        await using (var link = Link(o => o with { KeepLeftFor = TimeSpan.FromSeconds(5) }))
        {
            await using var peer = await _gateway.AcceptSessionAsync(p => p.Watermarks = [new LaneWatermark(oldEpoch, 0, 1)]);
            await peer.ReceiveAsync(FrameType.Heartbeat);
            Assert.Equal((0, 0L), (link.Link.Status.Lanes, link.Link.Status.RetainedBytes));
            Assert.Equal(2, Told(link.Link));
            await Until(() =>
            {
                link.Append(PriorityClass.Metric, 200); // the clock that it goes by
                return !_folder.Segments.Any(s => s.Contains(oldEpoch.ToString("x32"), StringComparison.Ordinal));
            });
            Assert.Equal(0, Told(link.Link));
        }

        static int Told(AgentLink link)
        {
            var count = 0;
            link.VisitSpooled((Epoch sensor, ushort classId, in LedgerEntry entry, ReadOnlySpan<LossCount> losses) => count++);
            return count;
        }
    }

    [Fact]
    public async Task TheInventoryIsReadWhileTheProcessRuns()
    {
        await using var link = Link();
        link.Append(PriorityClass.Event, 1000);
        link.Append(PriorityClass.Event, 1000);
        link.Append(PriorityClass.Metric, 1000);
        var segments = SpoolInventory.Read(_folder.Path);
        Assert.Equal([(PriorityClass.Event, 2u, false), (PriorityClass.Metric, 1u, false)],
            segments.Select(s => (s.Priority, s.Batches, s.Sealed)));
        Assert.All(segments, s => Assert.Equal(link.Link.Epoch, s.Epoch));
        Assert.Empty(SpoolInventory.Read(_folder.Path + "-none"));
        Assert.Throws<SpoolException>(Unconnected);
    }

    private RunningLink Link(Func<AgentLinkOptions, AgentLinkOptions>? change = null) =>
        new(_gateway, o => (change ?? (c => c))(o with { SpoolDirectory = _folder.Path, SpoolBytes = 16 << 20 }));

    private AgentLink Unconnected() => new(_gateway.Options with { SpoolDirectory = _folder.Path, SpoolBytes = 16 << 20 }, _gateway.Agent,
        new AgentLinkHooks { NextConnectCounter = () => 1 });

    private static async Task<List<(BatchName Name, byte[] Bytes)>> ReceiveAsync(ScriptedPeer peer, int count)
    {
        var all = new List<(BatchName Name, byte[] Bytes)>();
        while (all.Count < count)
        {
            all.AddRange((await peer.ReceiveDataAsync()).Batches);
        }

        Assert.Equal(count, all.Count);
        return all;
    }

    private static Task RewindAsync(ScriptedPeer peer, params LaneWatermark[] expected) => SendAsync(peer, FrameType.Rewind, expected);

    private static Task SendAsync(ScriptedPeer peer, FrameType type, params LaneWatermark[] lanes)
    {
        var payload = new byte[WatermarkMessage.GetLength(lanes.Length)];
        WatermarkMessage.Write(lanes, payload);
        return peer.SendAsync(type, payload);
    }

    private static async Task Until(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow + ScriptedGateway.Deadline;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "the condition did not come true");
            await Task.Delay(5);
        }
    }

    private static UInt128 ToNumber(Epoch epoch) => Lanes.Lane.ToNumber(epoch);

    private static (uint Lane, uint N) NameOf(List<(BatchName Name, byte[] Bytes)> batches) => (batches[0].Name.Lane, batches[0].Name.N);

    public void Dispose()
    {
        _gateway.Dispose();
        _folder.Dispose();
    }
}
