namespace Streams.AgentLink.Spool;

/// <summary>What happened to the spool since the process started. Written under the lane table's lock.</summary>
internal sealed class SpoolCounters
{
    /// <summary>Batches that became tombstones because the quota of their class was full.</summary>
    internal ulong BatchesEvicted { get; set; }

    /// <summary>Rows of those.</summary>
    internal ulong RowsEvicted { get; set; }

    /// <summary>Batches that could not be read back: tombstones.</summary>
    internal ulong BatchesCorrupt { get; set; }

    /// <summary>Reads, writes and syncs that the disk refused.</summary>
    internal ulong DiskErrors { get; set; }

    /// <summary>The last refusal; empty when there was none.</summary>
    internal string LastError { get; set; } = "";

    internal void Failed(string what)
    {
        DiskErrors++;
        LastError = what;
    }
}
