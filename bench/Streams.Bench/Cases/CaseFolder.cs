using Streams.Bench.Running;

namespace Streams.Bench.Cases;

/// <summary>Where the cases of the repository are.</summary>
internal static class CaseFolder
{
    private const string FileName = "case.toml";

    public static string Root => Path.Combine(RepositoryPrograms.Root(), "bench", "cases");

    /// <summary>Names of all cases; empty when the bench does not run from the repository.</summary>
    public static IReadOnlyList<string> Names()
    {
        try
        {
            return [.. Directory.EnumerateDirectories(Root).Where(static folder => File.Exists(Path.Combine(folder, FileName))).Select(static folder => Path.GetFileName(folder)!).Order()];
        }
        catch (Exception missing) when (missing is BenchFailure or DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <summary>The file of a case: a name of the list, or a folder or file of the user's own.</summary>
    /// <exception cref="BenchFailure">There is none.</exception>
    public static string FileOf(string nameOrPath)
    {
        foreach (var candidate in new[] { nameOrPath, Path.Combine(nameOrPath, FileName), Path.Combine(Root, nameOrPath, FileName) })
        {
            if (File.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new BenchFailure($"{nameOrPath}: no such case; the cases are {string.Join(", ", Names())}, or give a folder with a {FileName}");
    }
}
