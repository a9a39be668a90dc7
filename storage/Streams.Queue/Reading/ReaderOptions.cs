namespace Streams.Queue;

/// <summary>Bounds of one partition's reader.</summary>
public sealed record ReaderOptions
{
    /// <summary>Payload bytes read ahead of the caller. No request is made while more than half of it waits, and each asks for a quarter
    /// (at least 1 MiB).</summary>
    public int PrefetchBytes { get; init; } = 8 << 20;

    /// <summary>Most messages of one request.</summary>
    public int PrefetchMessages { get; init; } = 1024;

    /// <summary>Most messages of one batch.</summary>
    public int BatchMessages { get; init; } = 256;

    /// <summary>The server says "still here" this often while there is nothing to send; twice as long a silence means the request was
    /// lost.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(1);
}
