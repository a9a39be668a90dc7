namespace Streams.Bench.Running;

/// <summary>The programs under measurement, in the repository's build folders.</summary>
internal static class RepositoryPrograms
{
    public static string Host() => Built("streams/Streams.Host/bin/Release/net10.0/streams.dll");

    public static string ClickHouse() => Built("storage/Streams.ClickHouse.Embedded/bin/Release/net10.0/streams-clickhouse.dll");

    public static string Agent() => Built("agent-native/Streams.Agent/bin/publish/streams-agent");

    public static string Microbench() => Built("bench/Streams.Microbench/bin/Release/net10.0/Streams.Microbench.dll");

    /// <summary>The folder of the solution.</summary>
    /// <exception cref="BenchFailure">The bench does not run from the repository.</exception>
    public static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Streams.sln")))
            {
                return folder.FullName;
            }
        }

        throw new BenchFailure("the bench runs from the repository; Streams.sln was not found above it");
    }

    private static string Built(string path)
    {
        var full = Path.Combine(Root(), path);
        return File.Exists(full) ? full : throw new BenchFailure($"{full} is not built; run ./justw build");
    }
}
