namespace Streams.Wire.Tests;

/// <summary>tests/vectors: files that others check their implementation with.</summary>
internal static class VectorFolder
{
    internal static string Root
    {
        get
        {
            var directory = AppContext.BaseDirectory;
            while (!System.IO.File.Exists(Path.Combine(directory, "Streams.sln")))
            {
                directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("not inside the repository");
            }

            return directory;
        }
    }

    internal static string File(string name) => Path.Combine(Root, "tests", "vectors", name);

    /// <summary>What our code makes is what is published; STREAMS_UPDATE_VECTORS=1 publishes it anew.</summary>
    internal static void AssertPublished(string name, string made)
    {
        if (Environment.GetEnvironmentVariable("STREAMS_UPDATE_VECTORS") == "1")
        {
            System.IO.File.WriteAllText(File(name), made);
        }

        Assert.Equal(System.IO.File.ReadAllText(File(name)), made);
    }
}
