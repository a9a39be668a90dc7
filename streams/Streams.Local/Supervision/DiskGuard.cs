namespace Streams.Local;

/// <summary>
/// Says whether a file system has room enough to take in more. Below the floor it is low, and it stays low until there is a quarter more
/// than the floor, so that ClickHouse's merges, which free and take space by turns, do not make it flap.
/// </summary>
/// <param name="measure">Free bytes for an ordinary user, and size of the file system in bytes.</param>
/// <param name="floor">Bytes that must stay free; null for the smaller of 1 GiB and 5 % of the file system.</param>
public sealed class DiskGuard(Func<(long Free, long Size)> measure, long? floor = null, TimeProvider? time = null)
{
    private const long LargestFloor = 1L << 30;
    private const int DefaultPart = 20;

    // A write of a part or of a block may fail while less than its size is free; servers write some MiB at once.
    private const int FullPart = 8;

    // A disk that refuses though it shows room (no inodes, a quota) would otherwise have servers started anew without end.
    private static readonly TimeSpan RecoveryPause = TimeSpan.FromMinutes(5);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private bool _full;
    private volatile bool _refused;
    private long? _recovered;

    /// <summary>Watches the file system of a directory.</summary>
    public static DiskGuard Of(string directory, long? floor = null)
    {
        var drive = new DriveInfo(directory);
        return new DiskGuard(() => (drive.AvailableFreeSpace, drive.TotalSize), floor);
    }

    public bool IsLow { get; private set; }

    /// <summary>How often it became low.</summary>
    public long Alarms { get; private set; }

    /// <summary>Free bytes at the last look.</summary>
    public long Free { get; private set; }

    /// <summary>Looks again; true when <see cref="IsLow"/> changed.</summary>
    /// <exception cref="IOException">The file system cannot be asked.</exception>
    public bool Look()
    {
        var (free, size) = measure();
        var least = floor ?? Math.Min(LargestFloor, size / DefaultPart);
        Free = free;
        if (free < least / FullPart)
            _full = true;
        var low = IsLow ? free < least + least / 4 : free < least;
        if (low == IsLow)
            return false;
        IsLow = low;
        if (low)
            Alarms++;
        return true;
    }

    /// <summary>Somebody was refused a write: a look now and then misses a disk that was full for a moment only. From any thread.</summary>
    public void Refused() => _refused = true;

    /// <summary>True after the disk was full (less than an eighth of the floor was free, or a write was refused) and has room again, until
    /// <see cref="Recovered"/>.</summary>
    public bool MustRecover() => !IsLow && (_full || (_refused && !(_recovered is { } last && _time.GetElapsedTime(last) < RecoveryPause)));

    /// <summary>What was refused until now is dealt with.</summary>
    public void Recovered()
    {
        _full = false;
        _refused = false;
        _recovered = _time.GetTimestamp();
    }
}
