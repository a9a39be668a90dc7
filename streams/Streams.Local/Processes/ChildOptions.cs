namespace Streams.Local;

/// <summary>What to start, and where its output goes.</summary>
public sealed record ChildOptions
{
    /// <summary>The name used in messages and for the log file, as `nats-server`.</summary>
    public required string Name { get; init; }

    /// <summary>Program: a path, or a name to be found in PATH.</summary>
    public required string FileName { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Variables set (or, with null, removed) on top of our own environment.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    public string? WorkingDirectory { get; init; }

    /// <summary>The file that gets standard output and standard error.</summary>
    public required string LogPath { get; init; }

    /// <summary>At this size the log becomes `.1` and a new one begins, so a log takes at most twice this.</summary>
    public long LogLimitBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>The unprivileged user to run as, or null to run as we do.</summary>
    public ServiceUser? User { get; init; }

    /// <summary>A cgroup v2 directory that the child joins before its first instruction, or null.</summary>
    public string? CgroupDirectory { get; init; }

    /// <summary>Called with every complete line of output, on a thread of the pool; must be quick and must not throw.</summary>
    public Action<string>? OnLine { get; init; }
}
