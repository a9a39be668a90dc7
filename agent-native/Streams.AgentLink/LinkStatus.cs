namespace Streams.AgentLink;

/// <summary>A snapshot for `status` and `doctor`. Counters run since the link was made.</summary>
public readonly record struct LinkStatus
{
    public bool Connected { get; init; }

    /// <summary>Name of the gateway of the present or last session; empty before the first.</summary>
    public string Gateway { get; init; }

    public ulong Generation { get; init; }

    /// <summary>Lanes with batches that are not committed, and open ones.</summary>
    public int Lanes { get; init; }

    /// <summary>Lanes that wait for another session: the server cannot store them yet.</summary>
    public int ParkedLanes { get; init; }

    /// <summary>Bytes of batches that are not committed.</summary>
    public long RetainedBytes { get; init; }

    public long RetentionCapacity { get; init; }

    public ulong BatchesAppended { get; init; }

    /// <summary>Appends refused because the retention was full: the reader paused.</summary>
    public ulong BatchesRefused { get; init; }

    public ulong BatchesCommitted { get; init; }

    /// <summary>Batches sent again after a reconnect.</summary>
    public ulong BatchesResent { get; init; }

    /// <summary>Bytes of the spool's files; 0 without a spool.</summary>
    public long SpoolBytes { get; init; }

    public long SpoolCapacity { get; init; }

    /// <summary>Batches that became tombstones because the quota of their class was full.</summary>
    public ulong BatchesEvicted { get; init; }

    public ulong RowsEvicted { get; init; }

    /// <summary>Batches that could not be read back: tombstones.</summary>
    public ulong BatchesCorrupt { get; init; }

    /// <summary>Reads, writes and syncs that the disk refused.</summary>
    public ulong DiskErrors { get; init; }

    /// <summary>The last of them; empty when there was none.</summary>
    public string LastDiskError { get; init; }

    /// <summary>Batches that the server asked for again inside a session.</summary>
    public ulong BatchesRewound { get; init; }

    /// <summary>Batches that the server had and lost, and that are gone here too: tombstones.</summary>
    public ulong BatchesServerLost { get; init; }

    /// <summary>Lanes that the server could not store yet.</summary>
    public ulong LanesHeld { get; init; }

    /// <summary>Signatures over the digest chain of a lane.</summary>
    public ulong Checkpoints { get; init; }

    /// <summary>Digest rows that had no room; the signatures that follow cover their batches.</summary>
    public ulong ProofsDropped { get; init; }

    public ulong FramesSent { get; init; }

    /// <summary>Bytes of data frames, header and tag included.</summary>
    public ulong BytesSent { get; init; }

    public ulong Sessions { get; init; }

    public ulong FailedAttempts { get; init; }

    /// <summary>Round trip of the last heartbeat, µs; 0 before the first.</summary>
    public long RoundTripMicroseconds { get; init; }
}
