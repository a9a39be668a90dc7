using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Streams.Schema.Json;

/// <summary>
/// Values as JSON carries them exactly: integers up to 2^53 as numbers, all as decimal strings (RFC 8259 section 6 promises no more), addresses
/// as text. Each reader takes the token that the reader stands on.
/// </summary>
internal static class JsonValue
{
    private const ulong MaxNumber = 1UL << 53;

    // "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
    private const int MaxAddress = 45;

    public static bool TryUnsigned(in Utf8JsonReader reader, ulong max, out ulong value)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetUInt64(out value) && value <= Math.Min(max, MaxNumber);
            case JsonTokenType.String when !reader.ValueIsEscaped && IsCanonical(reader.ValueSpan):
                return Utf8Parser.TryParse(reader.ValueSpan, out value, out var used) && used == reader.ValueSpan.Length && value <= max;
            default:
                value = 0;
                return false;
        }
    }

    public static bool TrySigned(in Utf8JsonReader reader, long min, long max, out long value)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetInt64(out value) && value >= min && value <= max && value is >= -(long)MaxNumber and <= (long)MaxNumber;
            case JsonTokenType.String when !reader.ValueIsEscaped
                && IsCanonical(reader.ValueSpan.StartsWith("-"u8) ? reader.ValueSpan[1..] : reader.ValueSpan):
                return Utf8Parser.TryParse(reader.ValueSpan, out value, out var used) && used == reader.ValueSpan.Length
                    && value >= min && value <= max;
            default:
                value = 0;
                return false;
        }
    }

    public static bool TryFloat(in Utf8JsonReader reader, out double value)
    {
        value = 0;
        return reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out value) && double.IsFinite(value);
    }

    /// <summary>Dotted IPv4, or IPv6 without a zone.</summary>
    public static bool TryAddress(in Utf8JsonReader reader, out IPAddress address)
    {
        address = IPAddress.None;
        if (reader.TokenType != JsonTokenType.String || reader.ValueIsEscaped || reader.ValueSpan.Length is 0 or > MaxAddress
            || reader.ValueSpan.Contains((byte)'%') || !IPAddress.TryParse(reader.ValueSpan, out var parsed))
        {
            return false;
        }

        address = parsed;
        // inet_aton's shorter forms, octal and hexadecimal are read differently by others: "010.1" is not written.
        return parsed.AddressFamily == AddressFamily.InterNetworkV6 || (reader.ValueSpan.Count((byte)'.') == 3 && IsDotted(reader.ValueSpan));
    }

    public static bool TryEpoch(in Utf8JsonReader reader, out Epoch epoch)
    {
        epoch = default;
        Span<char> text = stackalloc char[2 * Epoch.Size];
        if (reader.TokenType != JsonTokenType.String || reader.ValueIsEscaped || reader.ValueSpan.Length != text.Length
            || reader.ValueSpan.ContainsAnyExcept("0123456789abcdef"u8))
        {
            return false;
        }

        for (var i = 0; i < text.Length; i++)
        {
            text[i] = (char)reader.ValueSpan[i];
        }

        return Epoch.TryParse(text.ToString(), out epoch) && !epoch.IsZero;
    }

    // One spelling for one number.
    private static bool IsCanonical(ReadOnlySpan<byte> digits) =>
        digits.Length is > 0 and <= 20 && !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') && (digits[0] != '0' || digits.Length == 1);

    private static bool IsDotted(ReadOnlySpan<byte> text)
    {
        foreach (var range in text.Split((byte)'.'))
        {
            if (!IsCanonical(text[range]))
            {
                return false;
            }
        }

        return true;
    }
}
