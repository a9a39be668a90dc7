using Xunit;

namespace Streams.Testing;

/// <summary>Finds programs of this repository that tests start.</summary>
public static class Repository
{
    /// <summary>The directory of Streams.sln, above the running test.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>`Release` or `Debug`, as the running test was built (…/bin/CONFIGURATION/net10.0/).</summary>
    public static string Configuration { get; } = Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!;

    /// <summary>A built program; the test fails with the build command if it is missing.</summary>
    /// <param name="project">Project folder from the root, as `storage/Streams.ClickHouse.Embedded`.</param>
    /// <param name="program">Assembly name, as `streams-clickhouse`.</param>
    public static string Program(string project, string program)
    {
        var directory = Path.Combine(Root, project, "bin", Configuration, "net10.0");
        var path = Path.Combine(directory, program);
        if (!File.Exists(path))
            path += ".dll";
        if (!File.Exists(path))
            Assert.Fail($"{program} is not built. Run: dotnet build -c {Configuration} {project}");
        return path;
    }

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Streams.sln")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException($"No Streams.sln above {AppContext.BaseDirectory}.");
    }
}
