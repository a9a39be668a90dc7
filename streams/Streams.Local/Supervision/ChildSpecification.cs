namespace Streams.Local;

/// <summary>What the supervisor must know of a child.</summary>
public sealed record ChildSpecification
{
    public required string Name { get; init; }

    /// <summary>
    /// Starts the process; may return at once. It is called for every start, so it must use the same ports and directories each time.
    /// </summary>
    /// <exception cref="LocalException">It cannot be started; it is tried again later.</exception>
    public required Func<CancellationToken, Task<ChildProcess>> Start { get; init; }

    /// <summary>
    /// Looks whether the running child does its work: null when it does, else what is wrong, one line. May take until it is cancelled.
    /// Null for a child that cannot be asked.
    /// </summary>
    public Func<CancellationToken, Task<string?>>? Probe { get; init; }

    /// <summary>Names of children added before that must run when this one is started.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>How long it may take to stop before it is killed.</summary>
    public required TimeSpan StopDeadline { get; init; }

    /// <summary>Pause between probes, and the most that one may take.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// That many failed probes in a row and the child is killed and started again. Counted, not timed: a machine that slept has not
    /// failed. With the interval of 5 s that is half a minute and more.
    /// </summary>
    public int ProbeFailures { get; init; } = 6;
}
