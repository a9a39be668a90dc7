using System.Globalization;
using System.Text;
using Streams.Host.Terminal;
using Streams.Local;

namespace Streams.Host.Fleet;

/// <summary>
/// Serials that were given out, one a line with the certificate's last Unix second: <c>serial not_after</c>. A line without the second is
/// from before it was kept, and stands for all serials up to it. Nothing is removed: it is a line for each certificate.
/// </summary>
internal sealed class SerialRegister(string file)
{
    /// <summary>The last Unix second of the certificate with this serial; null when that is not known.</summary>
    /// <exception cref="CommandFailure">The file is damaged.</exception>
    public long? EndOf(ulong serial)
    {
        foreach (var (known, end) in Read())
        {
            if (known == serial && end is not null)
            {
                return end;
            }
        }
        return null;
    }

    /// <summary>Gives out a serial above <paramref name="floor"/> and all that were given out, durably.</summary>
    /// <exception cref="CommandFailure">The file is damaged: a serial could be given out twice.</exception>
    public ulong Next(ulong floor, long end)
    {
        var lines = Read();
        var serial = Math.Max(floor, lines.Count == 0 ? 0 : lines.Max(line => line.Serial)) + 1;
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            text.Append(line.Serial);
            if (line.End is { } last)
            {
                text.Append(' ').Append(last);
            }
            text.Append('\n');
        }
        text.Append(CultureInfo.InvariantCulture, $"{serial} {end}\n");
        SecretFile.Write(file, Encoding.ASCII.GetBytes(text.ToString()));
        return serial;
    }

    private List<(ulong Serial, long? End)> Read()
    {
        var lines = new List<(ulong, long?)>();
        if (!File.Exists(file))
        {
            return lines;
        }
        foreach (var line in File.ReadLines(file))
        {
            var words = line.Split(' ');
            long? end = null;
            if (!ulong.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var serial) || words.Length > 2
                || (words.Length == 2 && (end = Second(words[1])) is null))
            {
                throw new CommandFailure($"{file}: line {lines.Count + 1} is not SERIAL or SERIAL SECOND; restore the file from a copy");
            }
            lines.Add((serial, end));
        }
        return lines;
    }

    private static long? Second(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var second) ? second : null;
}
