using Streams.AgentLink.Retention;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Lanes;

/// <summary>What the server says of lanes: committed, send again, not now.</summary>
internal sealed partial class LaneTable
{
    /// <summary>Dropped lanes that are remembered, so that a server which lost them can be told so; the oldest are forgotten
    /// first.</summary>
    private const int MaxGone = 256;

    private readonly Queue<(UInt128 Epoch, uint Number, Epoch Name, PriorityClass Priority, uint Next)> _gone = new();

    /// <summary>Classes that the server cannot store in this session: their live batches go to lanes of their own, or each would stop a
    /// lane.</summary>
    private readonly HashSet<ushort> _heldClasses = [];

    /// <summary>Batches that a rewind asked for again.</summary>
    internal ulong Rewound { get; private set; }

    /// <summary>Numbers that were asked for again and are gone: sent as tombstones.</summary>
    internal ulong ServerLost { get; private set; }

    /// <summary>Holds that were obeyed.</summary>
    internal ulong Holds { get; private set; }

    /// <summary>Takes F0's state over: frees what is committed and goes back to the first batch that is not.</summary>
    /// <param name="catalogue">The server's: classes that it does not have wait.</param>
    /// <returns>Lanes of which the server expects batches that are gone, and of this epoch lanes that are further than they ever
    /// were.</returns>
    internal (int Regressed, int Ahead) Resume(IReadOnlyList<LaneWatermark> watermarks, int maxInFlight = Wire.Limits.MaxOpenLanes,
        ushort catalogue = Catalogue.Version)
    {
        lock (_gate)
        {
            _maxInFlight = maxInFlight;
            _heldClasses.Clear();
            foreach (var eventClass in Catalogue.Classes)
            {
                // Known in advance: without it the first batch of each would stop a lane.
                if (eventClass.VersionIn(catalogue) == 0)
                {
                    _heldClasses.Add(eventClass.Id);
                }
            }

            foreach (var open in _open)
            {
                if (open is { Parks: true })
                {
                    Seal(open);
                }
            }

            foreach (var lane in _lanes.ToArray())
            {
                lane.Held = false;
                lane.NextToSend = Math.Max(lane.Committed, lane.Log.First);
                if (lane.IsDone)
                {
                    Drop(lane);
                }
            }

            var (regressed, ahead) = (0, 0);
            for (var i = 0; i < watermarks.Count; i++)
            {
                var watermark = watermarks[i];
                if (FindOrRecall(watermark) is not { } lane)
                {
                    ahead += watermark.Epoch == _epochNumber && watermark.Lane >= _nextLane ? 1 : 0;
                    continue;
                }

                regressed += GoBack(lane, watermark.Committed) ? 1 : 0;
                ahead += watermark.Epoch == _epochNumber && watermark.Committed > lane.EverSent ? 1 : 0;
                Release(lane, watermark.Committed);
            }

            if (ahead > 0)
            {
                Renew();
            }

            SealOpen(MaxLiveBacklogBytes);
            return (regressed, ahead);
        }
    }

    /// <summary>Frees what is committed. False when the gateway names batches that do not exist.</summary>
    internal bool Release(ReadOnlySpan<LaneWatermark> watermarks, out bool freed)
    {
        freed = false;
        lock (_gate)
        {
            foreach (var watermark in watermarks)
            {
                if (Find(watermark.Epoch, watermark.Lane) is not { } lane)
                {
                    // A lane that is wholly committed and forgotten, or none of this host: nothing to free.
                    continue;
                }

                // An earlier process may have sent more than the disk kept of it.
                if (watermark.Committed > lane.EverSent && lane.EpochNumber == _epochNumber)
                {
                    return false;
                }

                freed |= Release(lane, watermark.Committed);
            }
        }

        return true;
    }

    /// <summary>Goes back to the batch that is named, per lane, inside the session.</summary>
    internal void Rewind(ReadOnlySpan<LaneWatermark> expected)
    {
        lock (_gate)
        {
            foreach (var next in expected)
            {
                if (FindOrRecall(next) is { } lane && next.Committed < lane.NextToSend)
                {
                    Rewound += lane.NextToSend - next.Committed;
                    lane.NextToSend = next.Committed;
                    GoBack(lane, next.Committed);
                }
            }
        }
    }

    /// <summary>Stops sending the lanes for this session; live data goes to new ones, that of the class at fault to one that waits
    /// too.</summary>
    internal void Hold(ReadOnlySpan<LaneWatermark> holds)
    {
        lock (_gate)
        {
            foreach (var hold in holds)
            {
                if (Find(hold.Epoch, hold.Lane) is { Held: false } lane)
                {
                    lane.Held = true;
                    Holds++;
                    if (hold.Committed >= lane.Log.First && hold.Committed < lane.Log.Next
                        && lane.Log.ClassOf(hold.Committed) is var held and not 0)
                    {
                        _heldClasses.Add(held);
                    }

                    if (!lane.Sealed)
                    {
                        Seal(lane);
                    }
                }
            }
        }
    }

    /// <summary>
    /// Somebody else sends under this epoch: a machine was copied while the process ran. What is named stays as it is, duplicates of the
    /// other's or not; what comes gets an epoch of its own, so that neither takes the other's numbers.
    /// </summary>
    private void Renew()
    {
        SealOpen(above: -1);
        _epoch = Epoch.NewRandom();
        _epochNumber = Lane.ToNumber(_epoch);
        _ownLanes = 0;
    }

    /// <summary>The server has less than it once said: what is still kept is sent again, and what is gone is answered by
    /// tombstones.</summary>
    /// <returns>True when something is gone.</returns>
    private bool GoBack(Lane lane, uint expected)
    {
        if (expected >= lane.Committed)
        {
            return false;
        }

        lane.Committed = expected;
        lane.NextToSend = Math.Min(lane.NextToSend, expected);
        lane.Segment?.Commit(expected);
        if (expected >= lane.Log.First)
        {
            return false;
        }

        ServerLost += lane.Log.First - expected;
        return true;
    }

    private bool Release(Lane lane, uint committed)
    {
        committed = Math.Min(committed, lane.EverSent);
        if (committed <= lane.Committed)
        {
            return false;
        }

        Committed += committed - lane.Committed;
        lane.Committed = committed;
        lane.NextToSend = Math.Max(lane.NextToSend, committed);
        var before = lane.Log.Bytes;
        lane.Log.Commit(committed);
        BytesOf(lane) -= before - lane.Log.Bytes;
        if (lane.IsDone)
        {
            Drop(lane);
        }

        return true;
    }

    private void Drop(Lane lane)
    {
        lane.Dropped = true;
        BytesOf(lane) -= lane.Log.Bytes;
        _lanes.Remove(lane);
        _ownLanes -= lane.EpochNumber == _epochNumber ? 1 : 0;
        if (_gone.Count == MaxGone)
        {
            _gone.Dequeue();
        }

        if (lane.Log.Next > 0)
        {
            _gone.Enqueue((lane.EpochNumber, lane.Number, lane.Epoch, lane.Priority, lane.Log.Next));
        }

        if (lane.Segment is not { } segment)
        {
            lane.Log.Dispose();
        }
        else if (_spool!.KeepsLeft && _left.Contains(lane))
        {
            segment.CloseFile();
        }
        else
        {
            _left.Remove(lane);
            segment.Delete();
        }
    }

    private Lane? Find(UInt128 epoch, uint number)
    {
        foreach (var lane in _lanes)
        {
            if (lane.Number == number && lane.EpochNumber == epoch)
            {
                return lane;
            }
        }

        return null;
    }

    /// <summary>The lane, also when it is gone and the server no longer has all of it.</summary>
    private Lane? FindOrRecall(LaneWatermark watermark)
    {
        if (Find(watermark.Epoch, watermark.Lane) is { } kept)
        {
            return kept;
        }

        foreach (var gone in _gone)
        {
            if (gone.Number == watermark.Lane && gone.Epoch == watermark.Epoch && watermark.Committed < gone.Next)
            {
                var lane = new Lane(gone.Name, gone.Number, gone.Priority, new GoneLog(gone.Next))
                {
                    Sealed = true,
                    Committed = gone.Next,
                    NextToSend = gone.Next,
                    EverSent = gone.Next,
                };
                _lanes.Add(lane);
                _ownLanes += lane.EpochNumber == _epochNumber ? 1 : 0;
                return lane;
            }
        }

        return null;
    }
}
