using System.Security.Cryptography;

namespace Streams.Fuzz;

/// <summary>The inputs of a target that are kept in the tree: what once broke something, and what led somewhere.</summary>
internal sealed class Corpus(string folder)
{
    /// <summary>The folder of a target in the source tree.</summary>
    public static Corpus Of(FuzzTarget target) => new(Path.Combine(FindRoot(), "tests", "fuzz-corpus", target.Name));

    public string Folder => folder;

    public IReadOnlyList<(string Name, byte[] Input)> Read() => !Directory.Exists(folder) ? []
        : [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(path => (Path.GetFileName(path), File.ReadAllBytes(path)))];

    /// <summary>Keeps an input under a name of its content.</summary>
    public string Write(string kind, ReadOnlySpan<byte> input)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{kind}-{Convert.ToHexStringLower(SHA256.HashData(input))[..12]}");
        File.WriteAllBytes(path, input);
        return path;
    }

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Streams.sln")))
            {
                return at.FullName;
            }
        }

        throw new FuzzException("the corpus is in the source tree: run from a build inside it");
    }
}
