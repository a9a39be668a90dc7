using System.Globalization;
using ClickHouse.Driver;

namespace Streams.Storage;

/// <summary>
/// Whether ClickHouse's disks had room all through an insert. A part that is written while one fills may be committed with empty files and its insert answered with
/// success (docs/adr/0018), so on a disk that is, or was a moment ago, short of room a success is no evidence of rows. Thread-safe; one for all inserts of a process.
/// </summary>
public sealed class DiskSpace(StorageClient client, TimeProvider time)
{
    /// <summary>So long after a shortage every success is read back.</summary>
    public static readonly TimeSpan Aftermath = TimeSpan.FromMinutes(1);

    /// <summary>A disk that had room at two moments no further apart than this had room between them: see <see cref="StorageOptions.ShortDiskBytes"/>.</summary>
    public static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(1);

    /// <summary>How often it is looked while an insert runs.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(400);

    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    // Timestamps of when looks began; 0 = never. Between the first two there was room all the while.
    private long _roomSince;
    private long _roomAt;
    private long _shortAt;
    private string _why = "";

    /// <summary>Looks, unless somebody has just looked: before an insert is sent, and while it runs.</summary>
    /// <returns>What <see cref="AfterAsync"/> is to be given.</returns>
    public async Task<long> BeforeAsync(CancellationToken cancellation = default)
    {
        lock (_gate)
        {
            if (_roomAt != 0 && time.GetElapsedTime(_roomAt) < Fresh)
            {
                return _roomAt;
            }
        }

        return await LookAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Looks every <see cref="Period"/> until an insert has ended, which it leaves to be awaited. Never throws.</summary>
    public async Task DuringAsync(Task insert, CancellationToken cancellation = default)
    {
        try
        {
            while (await Task.WhenAny(insert, Task.Delay(Period, time, cancellation)).ConfigureAwait(false) != insert && !cancellation.IsCancellationRequested)
            {
                await BeforeAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Cancelled, which ends the insert too; or the time without a look has its success read back. The insert still uses its caller's buffers, so nothing may get past it.
        }
    }

    /// <summary>Looks after an insert has succeeded.</summary>
    /// <returns>Why the success is to be read back; null when there was room.</returns>
    public async Task<string?> AfterAsync(long before, CancellationToken cancellation = default)
    {
        await LookAsync(cancellation).ConfigureAwait(false);
        lock (_gate)
        {
            return _shortAt != 0 && time.GetElapsedTime(_shortAt) < Aftermath
                ? _why
                : _roomAt != 0 && _roomSince <= before
                    ? null
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"of the {time.GetElapsedTime(before).TotalSeconds:0.0} s it took nobody looked at the disk for more than one: the success is read back");
        }
    }

    /// <returns>When the last look that found room began, as it has ended too; else when this one began.</returns>
    private async Task<long> LookAsync(CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        var why = await ShortageAsync(cancellation).ConfigureAwait(false);
        var ended = time.GetTimestamp();
        lock (_gate)
        {
            if (why is not null)
            {
                (_shortAt, _why, _roomAt) = (ended, why, 0);
            }
            else if (began > _roomAt && began > _shortAt)
            {
                // The server looked somewhere between the beginning and the end of each.
                _roomSince = _roomAt != 0 && time.GetElapsedTime(_roomAt, ended) <= LongestGap ? _roomSince : began;
                _roomAt = began;
            }

            return Math.Max(began, _roomAt);
        }
    }

    // What cannot be asked is taken for short.
    private async Task<string?> ShortageAsync(CancellationToken cancellation)
    {
        try
        {
            var free = await client.QueryAsync(
                "SELECT min(free_space) FROM system.disks", static r => Convert.ToUInt64(r.GetValue(0), CultureInfo.InvariantCulture), cancellation).ConfigureAwait(false);
            return free[0] >= (ulong)client.Options.ShortDiskBytes
                ? null
                : string.Create(CultureInfo.InvariantCulture, $"a disk of ClickHouse had {free[0]:N0} bytes left: successes are read back");
        }
        catch (Exception failure) when (failure is ClickHouseServerException or TimeoutException or HttpRequestException or IOException)
        {
            return $"what the disks of ClickHouse have left was not to be known, successes are read back: {failure.Message.Split('\n')[0]}";
        }
    }
}
