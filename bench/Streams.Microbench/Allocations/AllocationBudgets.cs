using System.Text.Json;

namespace Streams.Microbench.Allocations;

/// <summary>`bench/budgets/allocations.json`: the most bytes that an operation of each benchmark may allocate.</summary>
internal static class AllocationBudgets
{
    private const string RelativePath = "bench/budgets/allocations.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <exception cref="FileNotFoundException">The program does not run from the repository.</exception>
    public static SortedDictionary<string, long> Read() =>
        new(JsonSerializer.Deserialize<Dictionary<string, long>>(File.ReadAllText(FindFile()))!, StringComparer.Ordinal);

    public static void Write(SortedDictionary<string, long> budgets) =>
        File.WriteAllText(FindFile(), JsonSerializer.Serialize(budgets, Indented) + "\n");

    private static string FindFile()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Path.Combine(folder.FullName, RelativePath) is var path && File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException($"{RelativePath} was not found above {AppContext.BaseDirectory}: run from the repository");
    }
}
