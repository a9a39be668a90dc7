namespace Streams.Storage;

/// <summary>What is wrong with one batch, or with one signature.</summary>
/// <param name="Kind">altered, missing_rows, extra_rows or bad_signature.</param>
/// <param name="Batch">The batch; of a signature the last that it covers.</param>
public sealed record ProofFinding(string Kind, uint Batch, string Class, string Detail);

/// <summary>What the proofs say about the batches of one lane that were received in the time that was asked for.</summary>
public sealed record LaneReport
{
    /// <summary>Findings that are named; all are counted.</summary>
    internal const int MaxFindings = 100;

    /// <summary>First 8 bytes of the epoch, hexadecimal.</summary>
    public required string Epoch { get; init; }

    public required uint Lane { get; init; }

    public required uint FirstBatch { get; init; }

    public required uint LastBatch { get; init; }

    public long Rows { get; internal set; }

    /// <summary>Batches whose rows a signature covers.</summary>
    public long Signed { get; internal set; }

    /// <summary>Batches whose rows fit their digest, which no signature covers.</summary>
    public long Unsigned { get; internal set; }

    /// <summary>Batches without a digest.</summary>
    public long NoProof { get; internal set; }

    /// <summary>Batches whose rows are not stored and are counted as lost, with the causes.</summary>
    public long Lost { get; internal set; }

    /// <summary>Batches whose rows are older than their table keeps them.</summary>
    public long Expired { get; internal set; }

    /// <summary>Batches of which the worker did not store every column: their digest cannot be computed from rows.</summary>
    public long ColumnsIgnored { get; internal set; }

    /// <summary>Wrong batches and signatures.</summary>
    public long Wrong { get; internal set; }

    /// <summary>The rows came in the JSON encoding, which has no digests.</summary>
    public bool Json { get; internal set; }

    public IReadOnlyList<ProofFinding> Findings => Found;

    internal List<ProofFinding> Found { get; } = [];

    internal uint LastSigned { get; set; }

    /// <summary>A batch before the last signed one has none.</summary>
    internal bool Hole { get; set; }

    internal uint? FirstUnsigned { get; set; }

    /// <summary>Batches without a digest since the last one that has one.</summary>
    internal long NoProofTail { get; set; }

    internal bool HasProofs { get; set; }

    /// <summary>The newest batches have no digest yet: their rows of batch_proof follow within seconds.</summary>
    internal void SettleTail(bool young)
    {
        if (HasProofs || young)
        {
            Unsigned += NoProofTail;
            NoProof -= NoProofTail;
        }
    }

    /// <summary>One word: the worst of it.</summary>
    public string State =>
        Found.Exists(f => f.Kind != "missing_rows") ? "altered"
        : Wrong > 0 ? "missing_rows"
        : NoProof > 0 ? (Json ? "unsigned_json" : "no_proof")
        : ColumnsIgnored > 0 ? "columns_ignored"
        : Unsigned > 0 ? (Hole ? "unsigned" : "unsigned_tail")
        : Signed > 0 ? "signed"
        : Lost > 0 ? "lost"
        : "expired";

    internal void Add(ProofFinding finding)
    {
        Wrong++;
        if (Found.Count < MaxFindings)
        {
            Found.Add(finding);
        }
    }
}
