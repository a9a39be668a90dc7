using Streams.AgentLink.Lanes;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests.Spool;

/// <summary>
/// The server's side of the model: admits only the next n of each lane, as the worker does, commits in steps, may forget what is not
/// committed, and adds up what the ledgers of the committed batches say.
/// </summary>
internal sealed class ModelServer
{
    private sealed class LaneState
    {
        internal List<byte[]> Admitted { get; } = [];

        internal uint Committed { get; set; }
    }

    private readonly Dictionary<(Epoch Epoch, uint Lane), LaneState> _lanes = [];

    internal HashSet<(Epoch Epoch, uint Lane)> Held { get; } = [];

    /// <summary>Batches above what a lane expects: the worker would ask for a rewind.</summary>
    internal Dictionary<(Epoch Epoch, uint Lane), uint> Gaps { get; } = [];

    internal ulong Duplicates { get; private set; }

    internal void Receive(BatchName name, byte[] batch)
    {
        var key = (name.Epoch, name.Lane);
        if (!_lanes.TryGetValue(key, out var lane))
        {
            _lanes.Add(key, lane = new LaneState());
        }

        if (Held.Contains(key))
        {
            return;
        }

        if (name.N == lane.Admitted.Count)
        {
            lane.Admitted.Add(batch);
        }
        else if (name.N < lane.Admitted.Count)
        {
            Duplicates++;
        }
        else
        {
            Gaps[key] = (uint)lane.Admitted.Count;
        }
    }

    /// <summary>Commits some of what was admitted; gives the watermarks.</summary>
    internal LaneWatermark[] Commit(Random random, bool all = false)
    {
        foreach (var lane in _lanes.Values)
        {
            var open = lane.Admitted.Count - (int)lane.Committed;
            lane.Committed += (uint)(all ? open : random.Next(open + 1));
        }

        return Watermarks;
    }

    /// <summary>The queue loses its tail.</summary>
    internal void LoseUncommitted()
    {
        foreach (var lane in _lanes.Values)
        {
            lane.Admitted.RemoveRange((int)lane.Committed, lane.Admitted.Count - (int)lane.Committed);
        }
    }

    internal LaneWatermark[] Watermarks =>
        [.. _lanes.Where(l => l.Value.Committed > 0)
            .Select(l => new LaneWatermark(Lane.ToNumber(l.Key.Epoch), l.Key.Lane, l.Value.Committed))];

    internal LaneWatermark[] Rewinds =>
        [.. Gaps.Select(l => new LaneWatermark(Lane.ToNumber(l.Key.Epoch), l.Key.Lane, l.Value))];

    internal uint Expected(Epoch epoch, uint lane) => _lanes.TryGetValue((epoch, lane), out var state) ? (uint)state.Admitted.Count : 0;

    internal IEnumerable<(BatchName Name, byte[] Bytes)> Stored =>
        _lanes.SelectMany(l => l.Value.Admitted.Take((int)l.Value.Committed)
            .Select((b, n) => (new BatchName(l.Key.Epoch, l.Key.Lane, (uint)n), b)));
}
