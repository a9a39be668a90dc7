namespace Streams.AgentLink.Tests.Spool;

/// <summary>A folder for one test, gone with it.</summary>
internal sealed class SpoolFolder : IDisposable
{
    internal SpoolFolder() => Directory.CreateDirectory(Path);

    internal string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "streams-spool-" + Guid.NewGuid().ToString("n"));

    internal string[] Segments => Directory.GetFiles(Path, "*.lane");

    /// <summary>What a process that is killed now leaves behind.</summary>
    internal SpoolFolder Copy()
    {
        var copy = new SpoolFolder();
        foreach (var file in Segments)
        {
            File.Copy(file, System.IO.Path.Combine(copy.Path, System.IO.Path.GetFileName(file)));
        }

        return copy;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
