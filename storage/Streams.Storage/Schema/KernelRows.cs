using Streams.Schema;

namespace Streams.Storage;

/// <summary>SQL over the classes that the kernel stamps.</summary>
internal static class KernelRows
{
    /// <summary>Names in the ledger, as a SQL list.</summary>
    public static string Classes { get; } = string.Join(", ", Kernel.Select(c => $"'{c.Name}'"));

    private static IEnumerable<EventClass> Kernel => Catalogue.Classes.Where(c => c.Producer == EventProducer.Kernel);

    /// <summary>What the ledger counts as lost, over all causes.</summary>
    /// <param name="alias">Of the ledger.</param>
    public static string Lost(string alias) => string.Join(" + ", LossCauses.Names.Select(n => $"{alias}.lost_{n}"));

    /// <summary>The numbers of all rows: agent_id, sensor_epoch, class, cpu, seq.</summary>
    /// <param name="where">A WHERE clause, or empty.</param>
    public static string Union(string where) => string.Join(
        "\n                    UNION ALL\n",
        Kernel.Select(c => $"                    SELECT agent_id, sensor_epoch, toLowCardinality('{c.Name}') AS class, cpu, seq FROM {c.Name} {where}".TrimEnd()));
}
