namespace Streams.Schema;

/// <summary>Writes the reference page of all classes from their declarations: docs/reference/classes.md.</summary>
public static class ReferencePage
{
    public static void Write(TextWriter writer)
    {
        writer.Write("# Event classes\n\nWritten from the declarations in `streams/Streams.Schema/Classes`; do not edit. ");
        writer.Write($"Catalogue version {Catalogue.Version}.\n\n");
        writer.Write("Every class is one table of the same name. A table begins with the columns that the server writes, then what the agent\n");
        writer.Write("claims about the row, then the columns of the class. A missing column has the default of its type: zero or empty.\n\n");
        writer.Write("## Columns of the server\n\nFrom the authenticated session and from the batch that carried the row. An agent cannot choose them for another.\n\n");
        WriteHead(writer);
        foreach (var (name, type, description) in ServerColumns.All)
        {
            writer.Write($"| {name} | | {type} | {description} |\n");
        }

        writer.Write("\n## Columns of the claim\n\nStamped at the producer.\n\n");
        WriteColumns(writer, ClaimColumns.All);
        foreach (var c in Catalogue.Classes)
        {
            writer.Write($"\n## {c.Name}\n\n{c.Description}\n\n");
            writer.Write($"Class {c.Id}, version {c.Version}, priority {c.Priority.ToString().ToLowerInvariant()}, channel `{c.Channel}`, ");
            writer.Write($"stamped by the {c.Producer.ToString().ToLowerInvariant()}.\n\n");
            WriteColumns(writer, c.Columns.Skip(ClaimColumns.Count));
        }

        writer.Write("\n## Causes of loss\n\nIn `loss_ledger` each is a column `lost_` and its name. The numbers are those of the batch format.\n\n");
        writer.Write("| Cause | Number |\n|---|---|\n");
        for (var i = 0; i < LossCauses.Count; i++)
        {
            writer.Write($"| {LossCauses.Names[i]} | {i} |\n");
        }
    }

    private static void WriteColumns(TextWriter writer, IEnumerable<Column> columns)
    {
        WriteHead(writer);
        foreach (var column in columns)
        {
            writer.Write($"| {column.Name} | {column.Id} | {ColumnTypes.ClickHouseName(column.Type)} | {column.Description} |\n");
        }
    }

    private static void WriteHead(TextWriter writer) => writer.Write("| Column | Id | Type | Meaning |\n|---|---|---|---|\n");
}
