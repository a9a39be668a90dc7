using System.Globalization;

namespace Streams.Checker.Journals;

/// <summary>Reads what a <see cref="JournalWriter"/> wrote.</summary>
public static class JournalFile
{
    /// <summary>The processes of the source, in the order in which they ran.</summary>
    public static IReadOnlyList<Incarnation> Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd();
        var order = new List<ulong>();
        var found = new Dictionary<ulong, Incarnation>();
        foreach (var line in text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // Torn by a kill, ended by the next process: what it would have said is not known.
            if (!TryParse(line, out var kind, out var epoch, out var last))
            {
                continue;
            }

            if (!found.TryGetValue(epoch, out var incarnation))
            {
                order.Add(epoch);
                incarnation = new Incarnation { SensorEpoch = epoch };
            }

            found[epoch] = kind == 'E' ? incarnation with { Intended = last } : incarnation with { Kept = last };
        }

        return [.. order.Select(epoch => found[epoch])];
    }

    // The full stop comes last: a line without it was torn, and its number may have lost digits.
    private static bool TryParse(string line, out char kind, out ulong epoch, out ulong last)
    {
        kind = line[0];
        epoch = last = 0;
        var parts = line.Split(' ');
        return parts.Length == 4 && (parts[0] is "E" or "K") && parts[3] == "."
            && ulong.TryParse(parts[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out epoch)
            && ulong.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out last);
    }
}
