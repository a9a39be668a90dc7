namespace Streams.Testing;

/// <summary>An empty directory of one test, mode 0700, gone at the end. <c>STREAMS_KEEP_TEMP=1</c> keeps it for a look.</summary>
public sealed class TempDirectory : IDisposable
{
    public TempDirectory(string name = "test")
    {
        Path = Directory.CreateTempSubdirectory($"streams-{name}-").FullName;
    }

    public string Path { get; }

    /// <summary>A path inside; nothing is created.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        if (Directory.Exists(Path) && Environment.GetEnvironmentVariable("STREAMS_KEEP_TEMP") != "1")
            Directory.Delete(Path, recursive: true);
    }
}
