namespace Streams.Local;

/// <summary>What a supervised child is doing.</summary>
public enum ChildState
{
    /// <summary>Something it needs does not run: it is started when that does.</summary>
    Waiting,

    /// <summary>Its process was started and is not ready yet.</summary>
    Starting,

    Running,

    /// <summary>It ended or could not start, and its wait before the next start has not passed.</summary>
    Down,

    /// <summary>The instance stops, or has stopped.</summary>
    Stopped,
}
