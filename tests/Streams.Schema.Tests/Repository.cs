namespace Streams.Schema.Tests;

/// <summary>Finds files of the repository from the test's output directory.</summary>
internal static class Repository
{
    internal static string Path(params ReadOnlySpan<string> parts)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(System.IO.Path.Combine(directory.FullName, "Streams.sln")))
        {
            directory = directory.Parent;
        }

        Assert.NotNull(directory);
        return System.IO.Path.Combine([directory.FullName, .. parts]);
    }
}
