namespace Streams.Queue;

/// <summary>
/// What the queue is made of. The quotas together should stay below 70 % of the server's max_file_store: `Streams.Local` gives the
/// ingest quota of a server that it runs.
/// </summary>
public sealed record TopologyOptions
{
    /// <summary>P, fixed when the streams are made: an agent's partition is a hash modulo P, and its order lives in one
    /// partition.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Quota of each partition's stream, bytes. Full means backpressure to the agents, whose spools hold the rest.</summary>
    public long IngestBytes { get; init; } = 256L << 20;

    /// <summary>Quota of the sessions bucket: some 450 bytes an agent, 35,000 agents.</summary>
    public long SessionsBytes { get; init; } = 16L << 20;

    /// <summary>Quota of the identities bucket: some 250 bytes an agent, 50,000 agents.</summary>
    public long IdentitiesBytes { get; init; } = 16L << 20;

    /// <summary>Quota of the enrolment bucket: some 500 bytes a token, 8,000 tokens.</summary>
    public long EnrolmentBytes { get; init; } = 4L << 20;

    /// <summary>Quota of the stream of commands: 8,000 of a kilobyte that wait for their agents.</summary>
    public long CommandsBytes { get; init; } = 8L << 20;

    /// <summary>Quota of the stream of responses, which waits for the services role; full means that agents keep their answers.</summary>
    public long ResponsesBytes { get; init; } = 16L << 20;

    /// <summary>Quota of the bucket of command states: 2,500 answers of 3 KB.</summary>
    public long CommandStatesBytes { get; init; } = 8L << 20;

    /// <summary>A command's state goes this long after its last change: a day after the longest deadline that a command may have.</summary>
    public TimeSpan CommandStatesAge { get; init; } = TimeSpan.FromDays(8);

    /// <summary>Quota of each of the buckets leases, offsets, operators and revocations: few or small records.</summary>
    public long SmallBucketBytes { get; init; } = 1L << 20;

    /// <summary>How long the server recognises a repeated message id. Two minutes is its default; correctness does not depend on it (the
    /// worker admits).</summary>
    public TimeSpan DuplicateWindow { get; init; } = TimeSpan.FromMinutes(2);
}
