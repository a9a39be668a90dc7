namespace Streams.Worker.Admission;

/// <summary>What becomes of a message; also the bounded label of the drop counter.</summary>
internal enum AdmissionKind : byte
{
    Accepted,

    /// <summary>All its batches were admitted before.</summary>
    Duplicate,

    /// <summary>It starts above the next expected batch: something before it is missing, the agent must go back.</summary>
    Gap,

    /// <summary>It was published under a session that a newer one of the same agent has replaced.</summary>
    StaleSession,

    /// <summary>It is behind a batch that this worker refused; the lane waits for that batch.</summary>
    Held,

    /// <summary>Its numbers make no sense (no batches, or beyond 2^32).</summary>
    Malformed,
}

/// <param name="Expected">The number the lane waits for.</param>
/// <param name="Skip">Batches at the start of the message that were admitted before; only for an accepted message.</param>
/// <param name="AskAgain">Whether the agent is to be told now: to go back to <paramref name="Expected"/>, or that it is held.</param>
internal readonly record struct AdmissionVerdict(AdmissionKind Kind, uint Expected = 0, uint Skip = 0, bool AskAgain = false);
