using System.Globalization;

namespace Streams.Bench.Chaos.Sources;

/// <summary>The clock of a host that is set wrongly: the system's, moved by the seconds that a file holds. Timers and durations are not
/// moved, as a
/// monotonic clock is not.</summary>
internal sealed class ShiftedClock(string file) : TimeProvider
{
    private long _offsetSeconds;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow.AddSeconds(Volatile.Read(ref _offsetSeconds));

    /// <summary>Reads the file again; no file means no offset.</summary>
    public void Refresh()
    {
        var offset = File.Exists(file) && long.TryParse(File.ReadAllText(file), NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture, out var seconds)
            ? seconds : 0;
        Volatile.Write(ref _offsetSeconds, offset);
    }
}
