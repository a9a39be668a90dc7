namespace Streams.Storage;

/// <summary>One row of batch_proof.</summary>
internal sealed record ProofRow(uint N, byte[] Digest, byte[] Chain, uint From, byte[] Signature, bool Restart);

/// <summary>Everything that is stored about one batch.</summary>
internal sealed class BatchEvidence(uint n)
{
    public uint N { get; } = n;

    /// <summary>Class whose table has its rows; of the ledger where there are none.</summary>
    public string Class { get; set; } = "";

    public long Rows { get; set; }

    /// <summary>Digests of the rows as they are stored, one per version of the class, the newest first.</summary>
    public List<byte[]> Digests { get; } = [];

    /// <summary>Row numbers are repeated, or rows are in a second table.</summary>
    public bool Repeated { get; set; }

    /// <summary>The worker did not know all columns of the batch.</summary>
    public bool ColumnsIgnored { get; set; }

    /// <summary>The ledger has it.</summary>
    public bool InLedger { get; set; }

    /// <summary>Rows that the ledger counts for its table.</summary>
    public long LedgerRows { get; set; }

    /// <summary>Causes under which the ledger counts losses of it.</summary>
    public string Causes { get; set; } = "";

    /// <summary>Sensor epoch as the ledger has it.</summary>
    public ulong SensorEpoch { get; set; }

    /// <summary>Microseconds since 1970, of the ledger.</summary>
    public long ReceivedAt { get; set; }

    /// <summary>Its rows are older than its table keeps rows.</summary>
    public bool Expired { get; set; }

    public List<ProofRow> Proofs { get; } = [];

    /// <summary>Digests that a valid signature covers; more than one where it became a tombstone after it was signed.</summary>
    public List<byte[]> Signed { get; } = [];

    public bool Fits(IEnumerable<byte[]> digests) => digests.Any(digest => Digests.Any(own => own.AsSpan().SequenceEqual(digest)));
}
