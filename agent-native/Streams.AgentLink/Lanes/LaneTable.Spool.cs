using Microsoft.Win32.SafeHandles;
using Streams.AgentLink.Spool;
using Streams.Schema;

namespace Streams.AgentLink.Lanes;

/// <summary>The part on the disk: quotas, eviction, syncs.</summary>
internal sealed partial class LaneTable
{
    /// <summary>Bytes after which an append waits for the disk: what a loss of power may cost, beside one second.</summary>
    private const long SyncBytes = 4 * 1024 * 1024;

    private readonly Lock _syncGate = new();
    private readonly List<SafeFileHandle> _syncing = [];
    private long _unsynced;

    /// <summary>The lanes that earlier processes left, in order, while they are kept or not committed.</summary>
    private readonly List<Lane> _left = [];

    /// <summary>Counters of the spool; null without one.</summary>
    internal SpoolCounters? SpoolCounters => _spool?.Counters;

    /// <summary>Bound of the spool; 0 without one.</summary>
    internal long SpoolCapacity => _spool?.Bytes ?? 0;

    /// <summary>Bytes of the spool's files.</summary>
    internal long SpoolBytes
    {
        get
        {
            lock (_gate)
            {
                var sum = 0L;
                foreach (var bytes in _diskBytes)
                {
                    sum += bytes;
                }

                return sum;
            }
        }
    }

    /// <summary>Something was written since the last <see cref="Sync"/>, or the disk refused and will be asked again.</summary>
    internal bool NeedsTick => Volatile.Read(ref _unsynced) > 0 || Degraded;

    /// <summary>From a refusal of the disk until it has taken a batch again.</summary>
    internal bool Degraded => _spool is { Degraded: true };

    /// <summary>So much was written that the appender must wait for the disk.</summary>
    internal bool SyncDue => Volatile.Read(ref _unsynced) >= SyncBytes;

    /// <summary>Share of the class's room that uncommitted batches use, 0 to 1; while the disk refuses, of the memory.</summary>
    internal double FillOf(PriorityClass priority)
    {
        lock (_gate)
        {
            var memory = (double)SumMemory() / Capacity;
            if (_spool is null || _spool.Degraded)
            {
                return Math.Min(memory, 1);
            }

            var bytes = 0L;
            foreach (var lane in _lanes)
            {
                bytes += lane.Priority == priority && lane.Segment is not null ? lane.UncommittedBytes : 0;
            }

            return Math.Min((double)bytes / SpoolQuota.Of(priority, _spool.Bytes), 1);
        }
    }

    /// <summary>Tells of the ledger of everything that earlier processes left, in the order of lanes and n.</summary>
    internal void VisitSpooled(SpooledEntryVisitor visitor)
    {
        var ledger = new DecodedLedger();
        lock (_gate)
        {
            foreach (var lane in _left)
            {
                lane.Segment?.Visit(visitor, ledger);
            }
        }
    }

    /// <summary>The lanes that earlier processes left, with the batches that no signed checkpoint covers.</summary>
    internal List<(Lane Lane, uint From, uint Next)> Unproven()
    {
        lock (_gate)
        {
            return [.. _left.Where(lane => !lane.Dropped && lane.Segment is { } s && s.Signed < s.Next)
                .Select(lane => (lane, lane.Segment!.Signed, lane.Segment.Next))];
        }
    }

    /// <summary>Copies one batch of a left lane; 0 when it cannot be read now.</summary>
    internal int CopyLeft(Lane lane, uint n, Span<byte> destination)
    {
        lock (_gate)
        {
            var length = lane.Dropped ? 0 : lane.Log.LengthOf(n);
            return length == 0 ? 0 : lane.Log.CopyFrom(n, destination[..length], out _);
        }
    }

    /// <summary>Signed checkpoints cover the lane's batches below <paramref name="next"/>, and are kept themselves.</summary>
    internal void MarkSigned(Lane lane, uint next)
    {
        lock (_gate)
        {
            if (!lane.Dropped)
            {
                lane.Segment?.MarkSigned(next);
            }
        }
    }

    /// <summary>Removes the files of left lanes that are committed.</summary>
    private void ForgetLeft()
    {
        foreach (var lane in _left)
        {
            if (lane.Dropped)
            {
                lane.Segment?.Delete();
            }
        }

        _left.RemoveAll(static lane => lane.Dropped);
    }

    /// <summary>Makes what was appended durable. The lock is not held while the disk works.</summary>
    internal void Sync()
    {
        lock (_syncGate)
        {
            lock (_gate)
            {
                if (_disposed || _spool is null)
                {
                    return;
                }

                if (_left.Count > 0 && !_spool.KeepsLeft)
                {
                    ForgetLeft();
                }

                Volatile.Write(ref _unsynced, 0);
                foreach (var lane in _lanes)
                {
                    if (lane.Segment?.TakeDirty() is { } file)
                    {
                        var held = false;
                        file.DangerousAddRef(ref held);
                        _syncing.Add(file);
                    }

                    // At most the lanes in flight keep a descriptor.
                    if (lane.Sealed && !(lane.HasWork && lane.InFlight))
                    {
                        lane.Segment?.CloseFile();
                    }
                }
            }

            var refused = "";
            foreach (var file in _syncing)
            {
                if (Libc.fdatasync((int)file.DangerousGetHandle()) != 0)
                {
                    refused = SpoolStore.LastError();
                }

                file.DangerousRelease();
            }

            _syncing.Clear();
            if (!_spool.SyncFolder())
            {
                refused = SpoolStore.LastError();
            }

            if (refused.Length > 0)
            {
                SyncRefused(refused);
            }
        }
    }

    /// <summary>The kernel drops pages that it could not write: what they held may be gone, and is found to be when it is read. New data
    /// goes elsewhere.</summary>
    private void SyncRefused(string error)
    {
        lock (_gate)
        {
            _spool!.Counters.Failed($"sync: {error}");
            _spool.Refused();
            foreach (var open in _open)
            {
                if (open?.Segment is not null)
                {
                    Seal(open);
                }
            }
        }
    }

    private void Accepted(Lane lane, int bytes)
    {
        Volatile.Write(ref _unsynced, _unsynced + bytes);
        _spool!.Accepted();
        if (Open(lane.Priority, lane.Parks, onDisk: false) is { } inMemory)
        {
            Seal(inMemory);
        }
    }

    private Lane? LaneOnDisk(PriorityClass priority, int maxBytes, bool parks)
    {
        ref var slot = ref Open(priority, parks, onDisk: true);
        if (slot is { } full && full.Log.Bytes >= SpoolQuota.SegmentBytes(priority, _spool!.Bytes))
        {
            Seal(full);
        }

        while (_diskBytes[(int)priority] + maxBytes + RecordHeader.Size > SpoolQuota.Of(priority, _spool!.Bytes))
        {
            if (!TryEvict(priority))
            {
                return null;
            }
        }

        if (slot is not null)
        {
            return slot;
        }

        if (_ownLanes >= MaxLanes && Reopen(priority, parks, onDisk: true) is { } reopened)
        {
            return slot = reopened;
        }

        var number = _nextLane++;
        return _spool.TryCreate(new SegmentName(_epoch, number, priority)) is { } segment
            ? slot = Add(priority, number, segment, parks) : null;
    }

    /// <summary>Gives up the rows of the oldest sealed lane of the class. False when nothing is left to give up, or the disk
    /// refuses.</summary>
    private bool TryEvict(PriorityClass priority)
    {
        foreach (var lane in _lanes)
        {
            if (lane.Priority == priority && lane is { Sealed: true, Segment: { Evicted: false } segment })
            {
                segment.Commit(lane.Committed);
                var before = segment.Bytes;
                if (!segment.TryEvict())
                {
                    _spool!.Refused();
                    return false;
                }

                _diskBytes[(int)priority] -= before - segment.Bytes;
                return true;
            }
        }

        return false;
    }
}
