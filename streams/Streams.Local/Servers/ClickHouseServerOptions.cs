namespace Streams.Local;

/// <summary>How to run streams-clickhouse.</summary>
public sealed record ClickHouseServerOptions
{
    /// <summary>The program (executable or .dll); beside the running program if null.</summary>
    public string? Program { get; init; }

    /// <summary>The engine's data directory.</summary>
    public required string DataDirectory { get; init; }

    public required string LogPath { get; init; }

    /// <summary>Loopback port of the HTTP interface.</summary>
    public required int Port { get; init; }

    /// <summary>libchdb.so, or null for the program's own search.</summary>
    public string? Library { get; init; }

    /// <summary>The unprivileged user to run as; its data directory and the password's file are given to it.</summary>
    public ServiceUser? User { get; init; }

    public string? CgroupDirectory { get; init; }

    /// <summary>Variables on top of our own environment.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Gets each line that it prints; must be quick and must not throw.</summary>
    public Action<string>? OnLine { get; init; }

    /// <summary>How long the start may take. Loading the engine takes a second, reading the parts of a large store many.</summary>
    public TimeSpan StartDeadline { get; init; } = TimeSpan.FromSeconds(120);
}
