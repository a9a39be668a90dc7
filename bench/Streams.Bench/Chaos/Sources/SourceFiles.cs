namespace Streams.Bench.Chaos.Sources;

/// <summary>The files of one agent of a source: what it remembers, and by which the harness and it talk.</summary>
/// <param name="KeyFile">Its key, when that is not in the directory.</param>
internal sealed record SourceFiles(string Directory, string? KeyFile = null)
{
    public string Key => KeyFile ?? Path.Combine(Directory, "agent.key");

    public string Connects => Path.Combine(Directory, "connects");

    public string Spool => Path.Combine(Directory, "spool");

    public string Journal => Path.Combine(Directory, "journal");

    /// <summary>Seconds by which the source's clock is wrong.</summary>
    public string Clock => Path.Combine(Directory, "clock");

    /// <summary>One line: what <see cref="SourceStatus"/> holds.</summary>
    public string Status => Path.Combine(Directory, "status");

    public string Log => Path.Combine(Directory, "source.log");
}
