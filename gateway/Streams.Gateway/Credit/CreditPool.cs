using Streams.Wire;

namespace Streams.Gateway.Credit;

/// <summary>
/// Credit is a reservation of the gateway's memory. One pool of bytes per process; a grant reserves, and what it reserved comes back when the queue has
/// acknowledged the frame or it was refused. So Σ outstanding ≤ <see cref="Capacity"/> always holds, and a frame that had credit always finds room.
/// <para>Sharing: the first grant of a session is small and needs no asking; all else follows <c>want</c>, by deficit round robin across sessions. No
/// session holds more unspent credit than a share, because an absolute offset cannot be taken back from an agent that asks and then stays silent. Only the
/// next frame of a class goes beyond it, so that credit left over in one class never silences another.</para>
/// <para>A partition whose queue takes nothing is left out: its sessions stand aside until it does, with what they hold, so that they do
/// not fill the pool for all.</para>
/// <para>Thread-safe; every operation is short and takes one lock.</para>
/// </summary>
internal sealed class CreditPool
{
    /// <summary>What a session is served in one turn: any frame fits, so every turn that finds room makes progress.</summary>
    private const long Quantum = Limits.MaxFrameBytes;

    /// <summary>First grants take at most 1/2 of the pool, so that idle sessions never leave nothing for those that ask.</summary>
    private const int FirstGrantsPart = 2;

    /// <summary>
    /// Unspent credit of a session over all classes. What is received is unspent no more, so it has to cover the way only: 10 Gb/s over 3 ms are 3.75 MB,
    /// more than one agent sends; and a pool of 256 MiB still has room for others after 32 agents that ask for everything.
    /// </summary>
    private const long LargestShare = 4L << 20;

    /// <summary>However many sessions there are, a frame of any size comes through.</summary>
    private const long SmallestShare = Limits.MaxFrameBytes;

    private const int SmallestPurge = 64;

    private readonly Lock _gate = new();
    private readonly Queue<CreditAccount> _waiting = new();
    private readonly Queue<CreditAccount>?[] _aside;
    private long _reserved;
    private long _firstGrants;
    private int _accounts;
    private CreditStop _stops;

    /// <param name="capacity">Bytes, at least <see cref="SmallestCapacity"/>.</param>
    /// <param name="partitions">Of the queue.</param>
    public CreditPool(long capacity, int partitions = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, SmallestCapacity);
        Capacity = capacity;
        _aside = new Queue<CreditAccount>?[partitions];
    }

    private enum Turn
    {
        /// <summary>Nothing more to give it now: it has what it wants, or its share.</summary>
        Over,

        /// <summary>It got some and wants more.</summary>
        Again,

        /// <summary>The pool has no room for its next frame.</summary>
        NoRoom,
    }

    public const long SmallestCapacity = 8L * Limits.MaxFrameBytes;

    public long Capacity { get; }

    /// <summary>Granted and not yet returned, over all sessions.</summary>
    public long Reserved => Interlocked.Read(ref _reserved);

    /// <summary>Accounts that stand in line or aside, closed ones that were not reached yet included.</summary>
    internal int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count + _aside.Sum(aside => aside?.Count ?? 0);
            }
        }
    }

    public bool IsSuspended(CreditStop why)
    {
        lock (_gate)
        {
            return (_stops & why) != 0;
        }
    }

    /// <summary>
    /// Opens a session's account with its first grant, in class event: what most frames are. An agent that begins with another class, or that
    /// comes when first grants have taken their part of the pool, asks.
    /// </summary>
    public CreditAccount Open(ICreditHolder holder, int partition = 0)
    {
        var account = new CreditAccount(holder, partition);
        lock (_gate)
        {
            _accounts++;
            var grant = Math.Min(Limits.MinGrantBytes, Capacity / _accounts);
            if (_stops == CreditStop.None && _aside[partition] is null && _firstGrants + grant <= Capacity / FirstGrantsPart && grant <= Capacity - _reserved)
            {
                _firstGrants += grant;
                account.FirstGrant = grant;
                Grant(account, (int)LaneClass.Event, grant);
            }
        }

        return account;
    }

    /// <summary>What the agent would send of a class beyond what was received, and the size of its next frame. The latest one counts.</summary>
    public void Want(CreditAccount account, LaneClass laneClass, long queued, int nextFrame)
    {
        var c = (int)laneClass;
        lock (_gate)
        {
            if (account.Closed)
            {
                return;
            }

            account.NextFrame[c] = Math.Clamp(nextFrame, 0, Limits.MaxFrameBytes);
            account.Wanted[c] = account.Spent[c] + Math.Max(queued, account.NextFrame[c]);
            Enqueue(account);
            Distribute();
        }
    }

    /// <summary>Takes a frame's bytes from what was granted. False when there is not enough: the session broke the protocol.</summary>
    public bool TrySpend(CreditAccount account, LaneClass laneClass, int bytes)
    {
        var c = (int)laneClass;
        lock (_gate)
        {
            if (account.Closed || bytes > account.Unspent(c))
            {
                return false;
            }

            account.Spent[c] += bytes;
            _firstGrants -= account.FirstGrant;
            account.FirstGrant = 0;
            // It may have been at its share.
            Enqueue(account);
            return true;
        }
    }

    /// <summary>Whether what the session may still send is that much, over all classes.</summary>
    public bool Covers(CreditAccount account, int bytes)
    {
        lock (_gate)
        {
            return !account.Closed && bytes <= account.TotalUnspent();
        }
    }

    /// <summary>A spent frame was acknowledged or refused; exactly once per successful <see cref="TrySpend"/>, also after <see cref="Close"/>.</summary>
    public void Return(int bytes)
    {
        lock (_gate)
        {
            _reserved -= bytes;
            Distribute();
        }
    }

    /// <summary>The session ended: what it did not spend comes back now, its frames in flight by <see cref="Return"/>.</summary>
    public void Close(CreditAccount account)
    {
        lock (_gate)
        {
            if (account.Closed)
            {
                return;
            }

            account.Closed = true;
            _accounts--;
            _firstGrants -= account.FirstGrant;
            for (var c = 0; c < Limits.LaneClasses; c++)
            {
                _reserved -= account.Unspent(c);
            }

            Distribute();
        }
    }

    /// <summary>Copies the absolute offsets that the agent may send up to.</summary>
    public void ReadGranted(CreditAccount account, Span<ulong> granted)
    {
        lock (_gate)
        {
            for (var c = 0; c < Limits.LaneClasses; c++)
            {
                granted[c] = (ulong)account.Granted[c];
            }
        }
    }

    /// <summary>While a reason stands nothing is granted; sessions live on with what they have.</summary>
    public void Suspend(CreditStop why)
    {
        lock (_gate)
        {
            _stops |= why;
        }
    }

    public void Resume(CreditStop why)
    {
        lock (_gate)
        {
            _stops &= ~why;
            Distribute();
        }
    }

    /// <summary>Leaves the sessions of a partition out, or serves them again.</summary>
    public void Block(int partition, bool blocked)
    {
        lock (_gate)
        {
            if (blocked)
            {
                _aside[partition] ??= new Queue<CreditAccount>();
            }
            else if (_aside[partition] is { } aside)
            {
                _aside[partition] = null;
                while (aside.TryDequeue(out var account))
                {
                    _waiting.Enqueue(account);
                }

                Distribute();
            }
        }
    }

    private void Enqueue(CreditAccount account)
    {
        if (!account.Waiting)
        {
            account.Waiting = true;
            Enqueue(_waiting, account);
        }
    }

    /// <summary>
    /// While nothing is served, sessions that come and go must not fill the queue: the closed ones leave it before it is twice as long as
    /// there are open ones.
    /// </summary>
    private void Enqueue(Queue<CreditAccount> queue, CreditAccount account)
    {
        if (queue.Count >= SmallestPurge + (2 * _accounts))
        {
            for (var i = queue.Count; i > 0; i--)
            {
                if (queue.Dequeue() is { Closed: false } open)
                {
                    queue.Enqueue(open);
                }
            }
        }

        queue.Enqueue(account);
    }

    /// <summary>Serves turns until nobody waits or the head's next frame does not fit: it keeps its place, or large frames would starve behind small ones.</summary>
    private void Distribute()
    {
        while (_stops == CreditStop.None && _waiting.TryPeek(out var account))
        {
            if (!account.Closed && _aside[account.Partition] is { } aside)
            {
                Enqueue(aside, _waiting.Dequeue());
                continue;
            }

            var turn = account.Closed ? Turn.Over : Serve(account);
            if (turn == Turn.NoRoom)
            {
                return;
            }

            _waiting.Dequeue();
            account.Waiting = false;
            if (turn == Turn.Again)
            {
                Enqueue(account);
            }
        }
    }

    private Turn Serve(CreditAccount account)
    {
        var budget = Quantum + account.Deficit;
        var share = Math.Clamp(Capacity / (2 * _accounts), SmallestShare, LargestShare);
        var unspent = account.TotalUnspent();
        var outcome = Turn.Over;
        var granted = false;
        for (var place = 0; place < Limits.LaneClasses; place++)
        {
            var c = ClassOrder.At(account.Turns, place);
            var need = account.Wanted[c] - account.Granted[c];
            var least = Math.Max(Limits.MinGrantBytes, account.NextFrame[c] - account.Unspent(c));
            var frameFits = account.Unspent(c) >= Math.Max(account.NextFrame[c], 1);
            if (need <= 0 || (frameFits && unspent + least > share))
            {
                continue;
            }

            if (least > budget)
            {
                outcome = Turn.Again;
                continue;
            }

            var room = Capacity - _reserved;
            if (least > room)
            {
                outcome = Turn.NoRoom;
                break;
            }

            var step = Math.Max(least, Math.Min(Math.Min(need, budget), Math.Min(room, share - unspent)));
            Grant(account, c, step);
            budget -= step;
            unspent += step;
            granted = true;
            if (account.Wanted[c] > account.Granted[c] && unspent + Limits.MinGrantBytes <= share)
            {
                outcome = Turn.Again;
            }
        }

        if (granted)
        {
            account.Turns++;
            account.Holder.CreditGranted();
        }

        // A budget is carried over only while there is something that it did not suffice for; it never grows beyond two quanta.
        account.Deficit = outcome == Turn.Again ? Math.Min(budget, Quantum) : 0;
        return outcome;
    }

    private void Grant(CreditAccount account, int laneClass, long bytes)
    {
        account.Granted[laneClass] += bytes;
        Interlocked.Add(ref _reserved, bytes);
    }
}
