using System.Globalization;

namespace Streams.Bench.Chaos.Sources;

/// <summary>Where a source is: written by it a few times a second, read by the harness.</summary>
/// <param name="SensorEpoch">First 8 bytes of its process's sensor epoch.</param>
/// <param name="Kept">Last number taken over.</param>
/// <param name="UncommittedBytes">Bytes of batches in spool and memory that are not committed.</param>
/// <param name="Connected">Whether a session stands.</param>
internal sealed record SourceStatus(ulong SensorEpoch, ulong Kept, long UncommittedBytes, bool Connected)
{
    public static SourceStatus? TryRead(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var parts = File.ReadAllText(path).Split(' ');
        return parts.Length == 5 && parts[4] == "."
            ? new SourceStatus(
                ulong.Parse(parts[0], CultureInfo.InvariantCulture), ulong.Parse(parts[1], CultureInfo.InvariantCulture),
                long.Parse(parts[2], CultureInfo.InvariantCulture), parts[3] == "1")
            : null;
    }

    /// <summary>Replaces the file at once, so that no reader sees half of it.</summary>
    public void Write(string path)
    {
        File.WriteAllText(
            path + ".new", string.Create(CultureInfo.InvariantCulture, $"{SensorEpoch} {Kept} {UncommittedBytes} {(Connected ? 1 : 0)} ."));
        File.Move(path + ".new", path, overwrite: true);
    }
}
