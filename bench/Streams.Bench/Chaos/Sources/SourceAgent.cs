using System.Globalization;

namespace Streams.Bench.Chaos.Sources;

/// <summary>An agent that a source's process plays; one process may play many.</summary>
internal sealed record SourceAgent(string Id, SourceFiles Files)
{
    /// <summary>Where it is; null until its present process has said so.</summary>
    public SourceStatus? Status => SourceStatus.TryRead(Files.Status);

    /// <summary>Directory of the keys when there are many.</summary>
    public static string KeyDirectory(string directory) => Path.Combine(directory, "keys");

    /// <summary>The agents of a source: itself, or so many named after it.</summary>
    public static IReadOnlyList<SourceAgent> Of(string id, SourceFiles files, int agents) => agents == 1
        ? [new SourceAgent(id, files)]
        : [.. Enumerable.Range(0, agents).Select(i =>
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{id}-{i}");
            return new SourceAgent(
                name, new SourceFiles(Path.Combine(files.Directory, name), Path.Combine(KeyDirectory(files.Directory), name + ".key")));
        })];
}
