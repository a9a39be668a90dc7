namespace Streams.Gateway.Credit;

/// <summary>
/// What one session holds of the pool. Numbers are absolute offsets of the session in frame bytes (header and tag included); they start at 0 and only
/// grow. Guarded by the pool's lock.
/// </summary>
internal sealed class CreditAccount
{
    /// <summary>The agent may send up to here.</summary>
    internal ClassAmounts Granted;

    /// <summary>Received up to here; never above <see cref="Granted"/>.</summary>
    internal ClassAmounts Spent;

    /// <summary>The agent would send up to here.</summary>
    internal ClassAmounts Wanted;

    /// <summary>Size of the agent's next frame of the class: a grant covers it or is not given.</summary>
    internal ClassAmounts NextFrame;

    internal CreditAccount(ICreditHolder holder, int partition)
    {
        Holder = holder;
        Partition = partition;
    }

    internal ICreditHolder Holder { get; }

    /// <summary>Where its data go.</summary>
    internal int Partition { get; }

    /// <summary>What the first grant still counts for; 0 once the session used any credit.</summary>
    internal long FirstGrant { get; set; }

    /// <summary>Stands in the queue of those that want more.</summary>
    internal bool Waiting { get; set; }

    /// <summary>Deficit round robin: bytes left over from turns in which the next frame did not fit.</summary>
    internal long Deficit { get; set; }

    /// <summary>Turns served, for the order of classes inside one.</summary>
    internal int Turns { get; set; }

    internal bool Closed { get; set; }

    /// <summary>Granted and not yet received.</summary>
    internal long Unspent(int laneClass) => Granted[laneClass] - Spent[laneClass];

    /// <summary>Granted and not yet received, over all classes.</summary>
    internal long TotalUnspent()
    {
        long sum = 0;
        for (var c = 0; c < Wire.Limits.LaneClasses; c++)
        {
            sum += Unspent(c);
        }

        return sum;
    }
}
