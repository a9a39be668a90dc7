using System.Net;

namespace Streams.ClickHouse.Embedded.Hosting;

/// <summary>
/// What the command line says. To add an option: a property here with the reason for its default, a line in
/// <see cref="OptionParser"/>, a line in its usage text, a test of its bounds.
/// </summary>
internal sealed record ServerOptions
{
    public required string Data { get; init; }

    /// <summary>ClickHouse's own HTTP port.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 8123);

    /// <summary>Lines of user:password; generated in the data directory when nothing else is given.</summary>
    public string? UserFile { get; init; }

    /// <summary>With <see cref="PasswordFile"/> instead of a user file.</summary>
    public string? User { get; init; }

    public string? PasswordFile { get; init; }

    /// <summary>A second user, who may only read, with <see cref="ReaderPasswordFile"/>.</summary>
    public string? Reader { get; init; }

    public string? ReaderPasswordFile { get; init; }

    public string? Library { get; init; }

    /// <summary>Statements at a time. Each holds two threads; more than a few for each core only take memory from one another.</summary>
    public int MaxConnections { get; init; } = 16;

    /// <summary>Bytes for the engine in all; 0 leaves ClickHouse's default of 90 % of the machine.</summary>
    public long MaxMemory { get; init; }

    /// <summary>Decoded bytes of one request's body. A merged block of the worker has at most some tens of MiB.</summary>
    public long MaxBody { get; init; } = 1L << 30;

    /// <summary>How long a request waits for a connection before it is told that there are too many.</summary>
    public TimeSpan WaitLimit { get; init; } = TimeSpan.FromSeconds(10);

    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}
