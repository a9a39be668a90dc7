namespace Streams.Bench.Chaos.Faults;

/// <summary>What a power failure and a careless operator do to the queue's files, while nats-server does not run.</summary>
internal static class QueueDamage
{
    /// <summary>Cuts the newest block of every ingest stream: half of it, with its index, as if the end had never reached the
    /// disk.</summary>
    /// <returns>Bytes cut.</returns>
    public static long CutTails(string jetStream)
    {
        long cut = 0;
        foreach (var stream in Directory.EnumerateDirectories(jetStream, "INGEST_*", SearchOption.AllDirectories))
        {
            var newest = new DirectoryInfo(Path.Combine(stream, "msgs")).EnumerateFiles("*.blk")
                .OrderByDescending(file => int.Parse(Path.GetFileNameWithoutExtension(file.Name),
                    System.Globalization.CultureInfo.InvariantCulture))
                .FirstOrDefault();
            if (newest is null || newest.Length == 0)
            {
                continue;
            }

            File.Delete(Path.ChangeExtension(newest.FullName, ".idx"));
            using var file = File.OpenHandle(newest.FullName, FileMode.Open, FileAccess.Write);
            var half = newest.Length / 2;
            cut += newest.Length - half;
            RandomAccess.SetLength(file, half);
        }

        return cut;
    }

    /// <summary>Deletes the ingest streams and the bucket of offsets.</summary>
    /// <returns>Streams deleted.</returns>
    public static long Wipe(string jetStream)
    {
        var streams = Directory.EnumerateDirectories(jetStream, "*", SearchOption.AllDirectories)
            .Where(path => Path.GetFileName(path) is var name && (name.StartsWith("INGEST_", StringComparison.Ordinal)
                || name == "KV_offsets")).ToList();
        streams.ForEach(path => Directory.Delete(path, recursive: true));
        return streams.Count;
    }
}
