using System.Buffers.Binary;
using Streams.AgentLink.Proof;
using Streams.AgentLink.Retention;
using Streams.AgentLink.Spool;
using Streams.Schema;

namespace Streams.AgentLink.Lanes;

/// <summary>One lane: batches n = 0, 1, 2 ... of one priority class, in order. Guarded by its table's lock.</summary>
internal sealed class Lane(Epoch epoch, uint number, PriorityClass priority, ILaneLog log)
{
    internal Epoch Epoch { get; } = epoch;

    /// <summary>The epoch as the wire's number.</summary>
    internal UInt128 EpochNumber { get; } = ToNumber(epoch);

    internal uint Number { get; } = number;

    internal PriorityClass Priority { get; } = priority;

    internal ILaneLog Log { get; } = log;

    /// <summary>The log as a segment of the spool; null for memory.</summary>
    internal Segment? Segment => Log as Segment;

    /// <summary>Its digest chain; null before its first batch is proven. Guarded by the appender's lock.</summary>
    internal LaneProof? Proof { get; set; }

    /// <summary>No longer the lane that live data is appended to.</summary>
    internal bool Sealed { get; set; }

    /// <summary>No longer in the table.</summary>
    internal bool Dropped { get; set; }

    /// <summary>The server cannot store it yet, or it cannot be read now: nothing is sent until the next F0.</summary>
    internal bool Held { get; set; }

    /// <summary>For live batches of classes that the server holds back: held from the start.</summary>
    internal bool Parks { get; set; }

    /// <summary>n of the next batch to put into a frame of this session.</summary>
    internal uint NextToSend { get; set; }

    /// <summary>One more than the highest n ever sent, as far as this process knows, to count what is sent again.</summary>
    internal uint EverSent { get; set; }

    /// <summary>Batches that the server has, from n = 0.</summary>
    internal uint Committed { get; set; }

    internal bool HasWork => !Held && NextToSend < Log.Next;

    /// <summary>The session has sent something that is not committed.</summary>
    internal bool InFlight => NextToSend > Committed;

    internal bool IsDone => Sealed && Committed >= Log.Next;

    internal long UncommittedBytes => Log.BytesFrom(Committed);

    /// <summary>Length of the batch that is next; 0 when it cannot be read now.</summary>
    internal int NextLength => NextToSend < Log.First ? Tombstone.BareSize : Log.LengthOf(NextToSend);

    /// <summary>Copies batches from the next one on. Numbers that are gone are answered by tombstones: the server asked for them
    /// again.</summary>
    internal int CopyNext(Span<byte> destination, out int count)
    {
        var length = 0;
        count = 0;
        for (var n = NextToSend; n < Log.First && destination.Length - length >= Tombstone.BareSize; n++)
        {
            length += Tombstone.WriteBare(new BatchName(Epoch, Number, n), Priority, destination[length..]);
            count++;
        }

        if (NextToSend + (uint)count < Log.First || NextToSend + (uint)count == Log.Next)
        {
            return length;
        }

        length += Log.CopyFrom(NextToSend + (uint)count, destination[length..], out var kept);
        count += kept;
        return length;
    }

    internal static UInt128 ToNumber(Epoch epoch)
    {
        Span<byte> bytes = stackalloc byte[Epoch.Size];
        epoch.Write(bytes);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
