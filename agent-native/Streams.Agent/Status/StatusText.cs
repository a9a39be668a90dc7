using System.Globalization;
using System.Text.Json;

namespace Streams.Agent.Status;

/// <summary>The status document for a person: a table per list, a line per object.</summary>
internal static class StatusText
{
    public static void Write(ReadOnlyMemory<byte> document, TextWriter output)
    {
        using var json = JsonDocument.Parse(document);
        foreach (var property in json.RootElement.EnumerateObject())
        {
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Array:
                    output.WriteLine();
                    output.WriteLine(property.Name);
                    WriteTable(property.Value, output);
                    break;
                case JsonValueKind.Object:
                    output.WriteLine();
                    output.WriteLine(property.Name);
                    foreach (var inner in property.Value.EnumerateObject())
                        output.WriteLine($"  {inner.Name.PadRight(24)} {Text(inner.Value)}");
                    break;
                default:
                    output.WriteLine($"{property.Name.PadRight(26)} {Text(property.Value)}");
                    break;
            }
        }
    }

    private static void WriteTable(JsonElement rows, TextWriter output)
    {
        var widths = new List<int>();
        var table = new List<List<string>>();
        foreach (var row in rows.EnumerateArray())
        {
            var head = new List<string>();
            var cells = new List<string>();
            foreach (var cell in row.EnumerateObject())
            {
                head.Add(cell.Name);
                cells.Add(Text(cell.Value));
            }

            if (table.Count == 0)
                table.Add(head);
            table.Add(cells);
        }

        foreach (var cells in table)
        {
            for (var i = 0; i < cells.Count; i++)
            {
                if (i == widths.Count)
                    widths.Add(0);
                widths[i] = Math.Max(widths[i], cells[i].Length);
            }
        }

        foreach (var cells in table)
        {
            output.Write(' ');
            for (var i = 0; i < cells.Count; i++)
                output.Write(" " + cells[i].PadRight(i == cells.Count - 1 ? 0 : widths[i]));
            output.WriteLine();
        }
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "-",
        JsonValueKind.Number when value.TryGetInt64(out var number) => number.ToString(CultureInfo.InvariantCulture),
        _ => value.GetRawText(),
    };
}
