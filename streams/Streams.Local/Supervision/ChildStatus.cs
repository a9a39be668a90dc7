namespace Streams.Local;

/// <summary>One child as `streams status` shows it.</summary>
public sealed record ChildStatus
{
    public required string Name { get; init; }

    public required ChildState State { get; init; }

    /// <summary>Process id while it runs, else null.</summary>
    public int? Pid { get; init; }

    /// <summary>How many times it was started again since the instance started.</summary>
    public int Restarts { get; init; }

    /// <summary>Since when it has been in this state.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>What the last health probe found: null when it was in order or there is none.</summary>
    public string? Ailment { get; init; }

    /// <summary>How it ended last, or why it did not start; null if it never did either.</summary>
    public string? LastFailure { get; init; }
}
