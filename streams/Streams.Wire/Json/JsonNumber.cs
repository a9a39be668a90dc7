using System.Buffers.Text;
using System.Text.Json;

namespace Streams.Wire.Json;

/// <summary>
/// Unsigned integers as every JSON library has them exactly: to 2^53 as a number, and any as a string of decimal digits (RFC 8259 section 6 promises no more).
/// </summary>
internal static class JsonNumber
{
    private const ulong MaxNumber = 1UL << 53;
    private const int MaxDigits = 20;

    internal static bool TryRead(in Utf8JsonReader reader, ulong max, out ulong value)
    {
        value = 0;
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetUInt64(out value) && value <= Math.Min(max, MaxNumber);
            case JsonTokenType.String when !reader.ValueIsEscaped && IsDigits(reader.ValueSpan):
                return Utf8Parser.TryParse(reader.ValueSpan, out value, out var used) && used == reader.ValueSpan.Length && value <= max;
            default:
                return false;
        }
    }

    internal static void Write(Utf8JsonWriter writer, string name, ulong value)
    {
        if (value <= MaxNumber)
        {
            writer.WriteNumber(name, value);
        }
        else
        {
            writer.WriteString(name, value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    /// <summary>One spelling for one number.</summary>
    private static bool IsDigits(ReadOnlySpan<byte> text) =>
        text.Length is > 0 and <= MaxDigits && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9') && (text[0] != '0' || text.Length == 1);
}
