using System.Buffers.Text;

namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>Walks the lines and fields of a proc file. Whatever is not as expected reads as absent, never as an exception.</summary>
internal ref struct ProcText(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;

    /// <summary>The next line without its end; false after the last.</summary>
    public bool TryLine(out ReadOnlySpan<byte> line)
    {
        if (_rest.IsEmpty)
        {
            line = default;
            return false;
        }

        var end = _rest.IndexOf((byte)'\n');
        line = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? default : _rest[(end + 1)..];
        return true;
    }

    /// <summary>Cuts the next field, separated by blanks, off a line; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Field(ref ReadOnlySpan<byte> line)
    {
        line = line.TrimStart(" \t"u8);
        var end = line.IndexOfAny((byte)' ', (byte)'\t');
        var field = end < 0 ? line : line[..end];
        line = end < 0 ? default : line[end..];
        return field;
    }

    /// <summary>Cuts the next field as a number; false when it is not a whole one.</summary>
    public static bool TryNumber(ref ReadOnlySpan<byte> line, out ulong value)
    {
        var field = Field(ref line);
        return Utf8Parser.TryParse(field, out value, out var used) && used == field.Length && used > 0;
    }

    /// <summary>Cuts the next field as a decimal fraction; false when it is none.</summary>
    public static bool TryFraction(ref ReadOnlySpan<byte> line, out double value)
    {
        var field = Field(ref line);
        return Utf8Parser.TryParse(field, out value, out var used) && used == field.Length && used > 0;
    }
}
