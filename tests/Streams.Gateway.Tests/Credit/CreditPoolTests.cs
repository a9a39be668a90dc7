using FsCheck.Xunit;
using Streams.Gateway.Credit;
using Streams.Wire;

namespace Streams.Gateway.Tests.Credit;

public sealed class CreditPoolTests
{
    private const long Small = CreditPool.SmallestCapacity;

    private sealed class Holder : ICreditHolder
    {
        public int Told { get; private set; }

        public void CreditGranted() => Told++;
    }

    /// <summary>Whatever agents and queue do in whatever order: the pool never promises more than it has, and in the end it has everything back.</summary>
    [Property(MaxTest = 300)]
    public bool Outstanding_never_exceeds_the_pool_and_comes_back(int seed)
    {
        var random = new Random(seed);
        var pool = new CreditPool(Small, partitions: 2);
        var accounts = new List<CreditAccount>();
        var inFlight = new List<int>();
        for (var step = 0; step < 400; step++)
        {
            switch (random.Next(8))
            {
                case 0:
                    accounts.Add(pool.Open(new Holder(), random.Next(2)));
                    break;
                case 1 or 2 when accounts.Count > 0:
                    pool.Want(accounts[random.Next(accounts.Count)], (LaneClass)random.Next(6), random.NextInt64(4 << 20), random.Next(Limits.MaxFrameBytes + 1));
                    break;
                case 3 or 4 when accounts.Count > 0:
                    var bytes = random.Next(300, Limits.MaxFrameBytes);
                    if (pool.TrySpend(accounts[random.Next(accounts.Count)], (LaneClass)random.Next(6), bytes))
                    {
                        inFlight.Add(bytes);
                    }

                    break;
                case 5 when inFlight.Count > 0:
                    pool.Return(inFlight[^1]);
                    inFlight.RemoveAt(inFlight.Count - 1);
                    break;
                case 6 when accounts.Count > 0 && random.Next(4) == 0:
                    var closed = random.Next(accounts.Count);
                    pool.Close(accounts[closed]);
                    accounts.RemoveAt(closed);
                    break;
                case 7 when random.Next(10) == 0:
                    pool.Suspend(CreditStop.QueueAway);
                    break;
                case 7 when random.Next(3) == 0:
                    pool.Block(random.Next(2), random.Next(2) == 0);
                    break;
                case 7:
                    pool.Resume(CreditStop.QueueAway);
                    break;
            }

            var unspent = accounts.Sum(account => Enumerable.Range(0, Limits.LaneClasses).Sum(account.Unspent));
            if (pool.Reserved != unspent + inFlight.Sum() || pool.Reserved > pool.Capacity)
            {
                return false;
            }
        }

        accounts.ForEach(pool.Close);
        inFlight.ForEach(pool.Return);
        return pool.Reserved == 0;
    }

    [Fact]
    public void A_partition_that_takes_nothing_gets_no_credit_and_the_others_do()
    {
        var pool = new CreditPool(Small, partitions: 2);
        var stuck = pool.Open(new Holder(), 0);
        var well = pool.Open(new Holder(), 1);
        var had = stuck.TotalUnspent();
        pool.Block(0, true);
        pool.Block(0, true);
        pool.Want(stuck, LaneClass.Event, 200_000, 200_000);
        pool.Want(well, LaneClass.Event, 200_000, 200_000);
        Assert.Equal(had, stuck.TotalUnspent());
        Assert.True(well.Unspent((int)LaneClass.Event) >= 200_000);
        Assert.Equal(0, pool.Open(new Holder(), 0).TotalUnspent());
        pool.Block(0, false);
        Assert.True(stuck.Unspent((int)LaneClass.Event) >= 200_000);
    }

    [Fact]
    public void Credit_flows_when_no_reason_against_it_stands()
    {
        var pool = new CreditPool(Small);
        pool.Suspend(CreditStop.QueueAway);
        pool.Suspend(CreditStop.Held);
        var account = pool.Open(new Holder());
        pool.Want(account, LaneClass.Event, 20_000, 20_000);
        pool.Resume(CreditStop.QueueAway);
        Assert.Equal((0L, true), (account.TotalUnspent(), pool.IsSuspended(CreditStop.Held)));
        pool.Resume(CreditStop.Held);
        Assert.True(account.Unspent((int)LaneClass.Event) >= 20_000);
    }

    [Fact]
    public void Sessions_that_come_and_go_while_nothing_is_granted_leave_nothing()
    {
        var pool = new CreditPool(Small, partitions: 2);
        pool.Suspend(CreditStop.Held);
        pool.Block(1, true);
        for (var i = 0; i < 10_000; i++)
        {
            var account = pool.Open(new Holder(), i % 2);
            pool.Want(account, LaneClass.Event, 20_000, 20_000);
            pool.Close(account);
        }

        Assert.InRange(pool.Waiting, 0, 200);
        pool.Resume(CreditStop.Held);
        pool.Block(1, false);
        Assert.Equal((0L, 0), (pool.Reserved, pool.Waiting));
    }

    [Fact]
    public void The_first_grant_needs_no_asking_and_shrinks_with_the_number_of_sessions()
    {
        var pool = new CreditPool(Small);
        var first = pool.Open(new Holder());
        Assert.Equal(Limits.MinGrantBytes, first.Unspent((int)LaneClass.Event));
        var all = Enumerable.Range(0, 500).Select(_ => pool.Open(new Holder())).ToList();
        Assert.True(pool.Reserved <= Small / 2, "idle sessions leave half of the pool to those that ask");
        Assert.Equal(0, all[^1].Unspent((int)LaneClass.Event));
        pool.Want(all[^1], LaneClass.Bulk, 100, 200_000);
        Assert.True(all[^1].Unspent((int)LaneClass.Bulk) >= 200_000);
    }

    [Fact]
    public void A_grant_covers_the_next_frame_or_is_not_given()
    {
        var pool = new CreditPool(Small);
        var greedy = Enumerable.Range(0, 4).Select(_ => pool.Open(new Holder())).ToList();
        greedy.ForEach(account => pool.Want(account, LaneClass.Event, Small, Limits.MaxFrameBytes));
        var late = pool.Open(new Holder());
        var before = late.Unspent((int)LaneClass.Event);
        pool.Want(late, LaneClass.Event, 200_000, 200_000);
        if (late.Unspent((int)LaneClass.Event) == before)
        {
            // It waits at the head; small asks behind it do not overtake it for ever.
            Assert.True(pool.TrySpend(greedy[0], LaneClass.Event, Limits.MaxFrameBytes));
            pool.Return(Limits.MaxFrameBytes);
        }

        for (var i = 0; i < 8 && late.Unspent((int)LaneClass.Event) < 200_000; i++)
        {
            foreach (var account in greedy.Where(account => account.Unspent((int)LaneClass.Event) >= Limits.MaxFrameBytes))
            {
                Assert.True(pool.TrySpend(account, LaneClass.Event, Limits.MaxFrameBytes));
                pool.Return(Limits.MaxFrameBytes);
            }
        }

        Assert.True(late.Unspent((int)LaneClass.Event) >= 200_000);
    }

    [Fact]
    public void Sessions_that_want_everything_get_about_the_same()
    {
        var pool = new CreditPool(Small);
        var accounts = Enumerable.Range(0, 8).Select(_ => pool.Open(new Holder())).ToList();
        var got = new long[accounts.Count];
        for (var round = 0; round < 400; round++)
        {
            for (var i = 0; i < accounts.Count; i++)
            {
                // Frames of different sizes: bytes are shared out, not frames.
                var frame = 40_000 + (i * 20_000);
                pool.Want(accounts[i], LaneClass.Event, 4 << 20, frame);
                if (pool.TrySpend(accounts[i], LaneClass.Event, frame))
                {
                    got[i] += frame;
                    pool.Return(frame);
                }
            }
        }

        Assert.True(got.Min() * 6 > got.Max(), string.Join(' ', got));
    }

    [Fact]
    public void No_class_starves()
    {
        var pool = new CreditPool(Small);
        var account = pool.Open(new Holder());
        var got = new long[Limits.LaneClasses];
        for (var round = 0; round < 600; round++)
        {
            for (var c = (int)LaneClass.Alert; c <= (int)LaneClass.Bulk; c++)
            {
                pool.Want(account, (LaneClass)c, 8 << 20, 100_000);
                if (pool.TrySpend(account, (LaneClass)c, 100_000))
                {
                    got[c] += 100_000;
                    pool.Return(100_000);
                }
            }
        }

        Assert.All(Enumerable.Range((int)LaneClass.Alert, 4), c => Assert.True(got[c] > 0, $"class {c} got nothing"));
    }

    [Fact]
    public void Every_class_has_exactly_one_place_in_every_turn()
    {
        for (var turn = 0; turn < 30; turn++)
        {
            var order = Enumerable.Range(0, Limits.LaneClasses).Select(place => ClassOrder.At(turn, place)).ToList();
            Assert.Equal([0, 1], order.Take(2));
            Assert.Equal(Enumerable.Range(0, Limits.LaneClasses), order.Order());
        }
    }

    [Fact]
    public void While_suspended_nothing_is_granted_and_afterwards_what_was_wanted_is()
    {
        var pool = new CreditPool(Small);
        pool.Suspend(CreditStop.QueueAway);
        var holder = new Holder();
        var account = pool.Open(holder);
        pool.Want(account, LaneClass.Event, 100_000, 50_000);
        Assert.Equal((0, 0L), (holder.Told, pool.Reserved));
        pool.Resume(CreditStop.QueueAway);
        Assert.Equal(1, holder.Told);
        Assert.True(account.Unspent((int)LaneClass.Event) >= 50_000);
    }

    [Fact]
    public void A_session_that_asks_and_stays_silent_does_not_get_the_pool()
    {
        var pool = new CreditPool(8 * Small);
        var silent = pool.Open(new Holder());
        var other = pool.Open(new Holder());
        pool.Want(silent, LaneClass.Event, long.MaxValue / 4, Limits.MaxFrameBytes);
        Assert.InRange(silent.Unspent((int)LaneClass.Event), 2 * Limits.MaxFrameBytes, 2 * Small);
        pool.Want(other, LaneClass.Event, Limits.MaxFrameBytes, Limits.MaxFrameBytes);
        Assert.True(other.Unspent((int)LaneClass.Event) >= Limits.MaxFrameBytes);
    }

    [Fact]
    public void An_agent_that_is_alone_and_asks_for_everything_in_every_class_leaves_the_pool_to_those_that_come()
    {
        var pool = new CreditPool(256L << 20);
        var greedy = pool.Open(new Holder());
        for (var c = 0; c < Limits.LaneClasses; c++)
        {
            pool.Want(greedy, (LaneClass)c, long.MaxValue / 4, Limits.MaxFrameBytes);
        }

        // Its share, and beyond it one frame of each class.
        Assert.InRange(pool.Reserved, 4L << 20, (4L << 20) + ((long)Limits.LaneClasses * (Limits.MaxFrameBytes + Limits.MinGrantBytes)));
        var late = pool.Open(new Holder());
        Assert.Equal(Limits.MinGrantBytes, late.Unspent((int)LaneClass.Event));
        pool.Want(late, LaneClass.Bulk, 4 << 20, Limits.MaxFrameBytes);
        Assert.True(late.Unspent((int)LaneClass.Bulk) >= 3L << 20);
    }

    [Fact]
    public void Credit_that_an_agent_does_not_use_in_one_class_does_not_silence_another()
    {
        var pool = new CreditPool(Small);
        var account = pool.Open(new Holder());
        pool.Want(account, LaneClass.Bulk, long.MaxValue / 4, Limits.MaxFrameBytes);
        var before = account.TotalUnspent();
        pool.Want(account, LaneClass.Alert, 200_000, 200_000);
        Assert.True(account.Unspent((int)LaneClass.Alert) >= 200_000);
        Assert.True(account.TotalUnspent() < before + 200_000 + Limits.MinGrantBytes);
    }
}
