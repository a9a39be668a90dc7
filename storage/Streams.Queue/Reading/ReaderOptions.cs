namespace Streams.Queue;

/// <summary>Bounds of one partition's reader.</summary>
public sealed record ReaderOptions
{
    /// <summary>Payload bytes read ahead of the caller: the next request is made when half of it was taken.</summary>
    public int PrefetchBytes { get; init; } = 8 << 20;

    /// <summary>Most messages of one request.</summary>
    public int PrefetchMessages { get; init; } = 512;

    /// <summary>Most messages of one batch.</summary>
    public int BatchMessages { get; init; } = 256;

    /// <summary>The server says "still here" this often while there is nothing to send; twice as long a silence means the request was lost.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(1);
}
