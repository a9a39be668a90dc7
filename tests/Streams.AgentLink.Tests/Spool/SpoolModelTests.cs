using Streams.AgentLink.Lanes;
using Streams.AgentLink.Spool;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests.Spool;

/// <summary>Random operations on a lane table with a spool, against what a server would make of them.</summary>
public sealed class SpoolModelTests
{
    private const long Bytes = 1 << 20;

    /// <summary>
    /// Appends, sends, commits, disconnects, rewinds, holds, losses of the queue's tail and kills of the agent, with a quota so small
    /// that eviction is common. At the end every batch that was ever appended is stored once, as itself or as its tombstone, and not one
    /// event is uncounted.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void WhateverHappensEveryBatchIsStoredOnceAndEveryEventCounted(int seed)
    {
        var random = new Random(seed);
        var server = new ModelServer();
        var appended = new Dictionary<BatchName, byte[]>();
        var folder = new SpoolFolder();
        var table = Open(folder);
        var evicted = 0UL;
        var next = 1UL;
        for (var step = 0; step < 6000; step++)
        {
            switch (random.Next(100))
            {
                case < 50:
                    var priority = random.Next(5) == 0 ? PriorityClass.Metric : PriorityClass.Event;
                    Append(table, random, priority, ref next, appended);
                    break;
                case < 80:
                    Send(table, random, server);
                    break;
                case < 88:
                    Assert.True(table.Release(server.Commit(random), out _));
                    break;
                case < 91:
                    table.SealOpen();
                    server.Held.Clear();
                    table.Resume(server.Watermarks);
                    break;
                case < 94:
                    table.Rewind(server.Rewinds);
                    server.Gaps.Clear();
                    break;
                case < 96:
                    server.LoseUncommitted();
                    break;
                case < 97 when appended.Count > 0:
                    var name = appended.Keys.ElementAt(random.Next(appended.Count));
                    server.Held.Add((name.Epoch, name.Lane));
                    table.Hold([new LaneWatermark(Lane.ToNumber(name.Epoch), name.Lane, server.Expected(name.Epoch, name.Lane))]);
                    break;
                case < 99:
                    table.Sync();
                    break;
                default:
                    // The agent is killed: what is in the folder is all that is left.
                    evicted += table.SpoolCounters!.BatchesEvicted;
                    var copy = folder.Copy();
                    table.Dispose();
                    folder.Dispose();
                    folder = copy;
                    table = Open(folder);
                    server.Held.Clear();
                    table.Resume(server.Watermarks);
                    break;
            }
        }

        table.SealOpen();
        for (var round = 0; table.RetainedBytes > 0; round++)
        {
            Assert.InRange(round, 0, 100);
            server.Held.Clear();
            table.Resume(server.Watermarks);
            while (Send(table, random, server))
            {
            }

            Assert.True(table.Release(server.Commit(random, all: true), out _));
        }

        evicted += table.SpoolCounters!.BatchesEvicted;
        table.SealOpen();
        table.Dispose();
        var stored = server.Stored.ToDictionary();
        Assert.Equal(appended.Keys.ToHashSet(), stored.Keys.ToHashSet());
        var (rows, evictedRows) = (0UL, 0UL);
        foreach (var (name, batch) in stored)
        {
            var whole = SpoolBatch.Sum(appended[name]);
            var sum = SpoolBatch.Sum(batch);
            Assert.Equal(whole.Rows + whole.Lost, sum.Rows + sum.Lost);
            Assert.True(sum.Rows == whole.Rows || sum.Rows == 0);
            if (sum.Rows > 0)
            {
                Assert.Equal(appended[name], batch);
            }

            Assert.Subset(new HashSet<LossCause> { LossCause.RingFull, LossCause.SpoolEvicted }, sum.Causes.Keys.ToHashSet());
            rows += whole.Rows;
            evictedRows += sum.Causes.GetValueOrDefault(LossCause.SpoolEvicted);
        }

        Assert.InRange(evictedRows, 1UL, rows - 1);
        Assert.True(evicted > 0 && server.Duplicates > 0);
        folder.Dispose();
    }

    private static LaneTable Open(SpoolFolder folder) =>
        new(Epoch.NewRandom(), 512 * 1024, SpoolStore.Open(folder.Path, Bytes, TimeProvider.System));

    private static void Append(
        LaneTable table, Random random, PriorityClass priority, ref ulong next, Dictionary<BatchName, byte[]> appended)
    {
        var body = random.Next(20, random.Next(3) == 0 ? 20_000 : 2_000);
        var rows = (uint)random.Next(1, 500);
        for (ushort classId = 0; table.TryName(priority, body + 300, out var lane, out var name, classId);)
        {
            var record = SpoolBatch.Record(name, priority, next, rows, body);
            if (table.Append(lane!, record))
            {
                appended.Add(name, record[RecordHeader.Size..]);
                next += rows + 1;
                return;
            }

            // Its class is held back: with its name it gets a lane for those.
            Assert.Equal(0, classId);
            Assert.True(BatchHeader.TryRead(record.AsSpan(RecordHeader.Size), out var header, out _));
            classId = header.ClassId;
        }
    }

    private static bool Send(LaneTable table, Random random, ModelServer server)
    {
        var backlogs = new LaneTable.Backlog[LaneTable.Classes];
        table.Peek(backlogs);
        var ready = Enumerable.Range(0, backlogs.Length).Where(i => backlogs[i].NextFrameBytes > 0).ToArray();
        if (ready.Length == 0)
        {
            return false;
        }

        var chosen = ready[random.Next(ready.Length)];
        var plaintext = new byte[Wire.Limits.MaxFrameBytes];
        var length = table.Take((PriorityClass)chosen, backlogs[chosen].NextFrameBytes + random.Next(30_000), plaintext);
        Assert.True(length > 0);
        foreach (var (name, bytes) in SpoolBatch.Split(plaintext[..length]))
        {
            server.Receive(name, bytes);
        }

        return true;
    }
}
