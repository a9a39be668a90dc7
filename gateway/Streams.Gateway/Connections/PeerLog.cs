using Microsoft.Extensions.Logging;

namespace Streams.Gateway.Connections;

/// <summary>
/// The log for lines that peers can cause at will: so many a second and a burst of ten times that; how many were left out is said with the next line that is not.
/// Counters and rows of auth_failure have every one. Thread-safe.
/// </summary>
/// <param name="perSecond">Lines.</param>
/// <param name="now">Milliseconds, monotonic.</param>
internal sealed class PeerLog(ILogger logger, int perSecond, long now)
{
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private RateBucket _lines = new(perSecond, Burst, now);
    private long _leftOut;

    /// <summary>The logger for one line, or null when there are too many.</summary>
    public ILogger? Line() => Line(Environment.TickCount64);

    internal ILogger? Line(long now)
    {
        long leftOut;
        lock (_gate)
        {
            if (!_lines.TryTake(1, now))
            {
                _leftOut++;
                return null;
            }

            (leftOut, _leftOut) = (_leftOut, 0);
        }

        if (leftOut > 0)
        {
            logger.LinesLeftOut(leftOut);
        }

        return logger;
    }
}
