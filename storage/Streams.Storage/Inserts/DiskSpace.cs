using System.Globalization;
using ClickHouse.Driver;

namespace Streams.Storage;

/// <summary>
/// What ClickHouse's disks have left. A part that is written while one fills may be committed with empty files and its insert answered with success
/// (docs/adr/0018), so on a disk that is short of room a success is no evidence of rows.
/// </summary>
public sealed class DiskSpace(StorageClient client)
{
    /// <summary>Why a success is to be read back; null when there is room enough. What cannot be asked is taken for short.</summary>
    public async Task<string?> ShortageAsync(CancellationToken cancellation = default)
    {
        try
        {
            var free = await client.QueryAsync(
                "SELECT min(free_space) FROM system.disks", static r => Convert.ToUInt64(r.GetValue(0), CultureInfo.InvariantCulture), cancellation).ConfigureAwait(false);
            return free[0] >= (ulong)client.Options.ShortDiskBytes
                ? null
                : string.Create(CultureInfo.InvariantCulture, $"the disk of ClickHouse has {free[0]:N0} bytes left: the success is read back");
        }
        catch (Exception failure) when (failure is ClickHouseServerException or TimeoutException or HttpRequestException or IOException)
        {
            return $"what the disk of ClickHouse has left is not known, the success is read back: {failure.Message.Split('\n')[0]}";
        }
    }
}
