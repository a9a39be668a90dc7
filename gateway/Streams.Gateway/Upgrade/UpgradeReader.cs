using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Streams.Wire;

namespace Streams.Gateway.Upgrade;

/// <summary>
/// Reads an upgrade request as RFC 9112 and RFC 6455 have it, and nothing else of HTTP: one GET without a body, for one path. Strict, because two readings of one request
/// are what attacks on proxies are made of: no bare line feed, no folded line, no space before a colon, no header twice that decides something.
/// </summary>
internal static class UpgradeReader
{
    public const int MaxLineBytes = 2048;
    public const int MaxHeaderBytes = Limits.MaxHandshakeMessageBytes;

    /// <summary>Not a whole request yet.</summary>
    public const int Incomplete = 0;

    /// <summary>To be granted.</summary>
    public const int Good = 101;

    private const int MaxBytes = MaxLineBytes + 2 + MaxHeaderBytes + 2;
    private const int KeyBytes = 16;
    private const int KeyText = 24;

    // RFC 9110 5.6.2.
    private static readonly SearchValues<byte> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    private static ReadOnlySpan<byte> End => "\r\n\r\n"u8;

    /// <param name="length">Bytes of the request, its empty line included; 0 unless it is <see cref="Good"/>.</param>
    /// <param name="request">Null unless it is <see cref="Good"/>.</param>
    /// <returns><see cref="Incomplete"/>, <see cref="Good"/>, or the status to refuse it with.</returns>
    public static int Read(in ReadOnlySequence<byte> bytes, out int length, out UpgradeRequest? request)
    {
        if (bytes.IsSingleSegment)
        {
            return Read(bytes.FirstSpan, out length, out request);
        }

        // One byte more than it may have shows that it is too large.
        Span<byte> whole = stackalloc byte[MaxBytes + 1];
        var first = bytes.Slice(0, Math.Min(bytes.Length, whole.Length));
        first.CopyTo(whole);
        return Read(whole[..(int)first.Length], out length, out request);
    }

    private static int Read(ReadOnlySpan<byte> bytes, out int length, out UpgradeRequest? request)
    {
        length = 0;
        request = null;
        var line = bytes.IndexOf(End[..2]);
        if (line > MaxLineBytes || (line < 0 && bytes.Length > MaxLineBytes + 1))
        {
            return 414;
        }

        var end = bytes.IndexOf(End);
        if (end < 0)
        {
            // The last line feed may be still to come.
            return line >= 0 && bytes.Length - line - 2 > MaxHeaderBytes + 1 ? 431 : Incomplete;
        }

        if (end - line > MaxHeaderBytes)
        {
            return 431;
        }

        var status = ReadLine(bytes[..line], out var target);
        if (status != Good)
        {
            return status;
        }

        var fields = default(Fields);
        status = fields.Read(end == line ? [] : bytes[(line + 2)..(end + 2)]);
        if (status != Good)
        {
            return status;
        }

        if (!fields.Upgrades || !IsKey(fields.Key))
        {
            return 400;
        }

        if (!fields.Version.SequenceEqual("13"u8))
        {
            return 426;
        }

        length = end + End.Length;
        request = new UpgradeRequest(Encoding.ASCII.GetString(target), Encoding.ASCII.GetString(fields.Offers), Encoding.ASCII.GetString(fields.Key));
        return Good;
    }

    private static int ReadLine(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> target)
    {
        target = default;
        var first = line.IndexOf((byte)' ');
        var last = line.LastIndexOf((byte)' ');
        if (first <= 0 || last <= first || line[..first].ContainsAnyExcept(Token))
        {
            return 400;
        }

        target = line[(first + 1)..last];
        if (target.IsEmpty || target.ContainsAnyExceptInRange((byte)'!', (byte)'~'))
        {
            return 400;
        }

        var version = line[(last + 1)..];
        if (!version.SequenceEqual("HTTP/1.1"u8))
        {
            return version.StartsWith("HTTP/"u8) ? 505 : 400;
        }

        return !IsOurs(target) ? 404 : line[..first].SequenceEqual("GET"u8) ? Good : 405;
    }

    /// <summary>Whatever follows `?`; of the absolute form too, which every server has to take (RFC 9112 3.2.2).</summary>
    private static bool IsOurs(ReadOnlySpan<byte> target)
    {
        var authority = Ascii.EqualsIgnoreCase(target[..Math.Min(7, target.Length)], "http://"u8) ? 7
            : Ascii.EqualsIgnoreCase(target[..Math.Min(8, target.Length)], "https://"u8) ? 8 : 0;
        if (authority > 0)
        {
            var slash = target[authority..].IndexOf((byte)'/');
            target = slash < 0 ? [] : target[(authority + slash)..];
        }

        var query = target.IndexOf((byte)'?');
        return Ascii.Equals(query < 0 ? target : target[..query], Protocol.Path);
    }

    private static bool IsKey(ReadOnlySpan<byte> key)
    {
        Span<byte> decoded = stackalloc byte[KeyBytes + 2];
        return key.Length == KeyText && Base64.DecodeFromUtf8(key, decoded, out _, out var written) == OperationStatus.Done && written == KeyBytes;
    }

    /// <summary>The headers that decide.</summary>
    private ref struct Fields
    {
        public ReadOnlySpan<byte> Key;
        public ReadOnlySpan<byte> Version;
        public ReadOnlySpan<byte> Offers;
        private bool _host;
        private bool _upgrade;
        private bool _connection;
        private bool _key;
        private bool _version;
        private bool _offers;

        public readonly bool Upgrades => _upgrade && _connection && _host;

        public int Read(ReadOnlySpan<byte> lines)
        {
            while (!lines.IsEmpty)
            {
                var next = lines.IndexOf((byte)'\n');
                if (next < 1 || lines[next - 1] != '\r' || !Take(lines[..(next - 1)]))
                {
                    return 400;
                }

                lines = lines[(next + 1)..];
            }

            return Good;
        }

        private bool Take(ReadOnlySpan<byte> line)
        {
            var colon = line.IndexOf((byte)':');
            if (colon <= 0 || line[..colon].ContainsAnyExcept(Token))
            {
                return false;
            }

            var value = line[(colon + 1)..].Trim(" \t"u8);
            foreach (var octet in value)
            {
                if (octet is < (byte)' ' and not (byte)'\t' or 0x7f)
                {
                    return false;
                }
            }

            return Take(line[..colon], value);
        }

        private bool Take(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => name.Length switch
        {
            4 when Is(name, "Host"u8) => Once(ref _host),
            7 when Is(name, "Upgrade"u8) => (_upgrade |= Has(value, "websocket"u8)) || true,
            10 when Is(name, "Connection"u8) => (_connection |= Has(value, "upgrade"u8)) || true,
            14 when Is(name, "Content-Length"u8) => value.SequenceEqual("0"u8),
            17 when Is(name, "Transfer-Encoding"u8) => false,
            17 when Is(name, "Sec-WebSocket-Key"u8) => Once(ref _key) && Set(ref Key, value),
            21 when Is(name, "Sec-WebSocket-Version"u8) => Once(ref _version) && Set(ref Version, value),
            // More than one header: which one the transcript has would be a matter of opinion (RFC 6455 4.1 allows several).
            22 when Is(name, "Sec-WebSocket-Protocol"u8) => Once(ref _offers) && Ascii.IsValid(value) && Set(ref Offers, value),
            _ => true,
        };

        private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> expected) => Ascii.EqualsIgnoreCase(name, expected);

        private static bool Has(ReadOnlySpan<byte> list, ReadOnlySpan<byte> expected)
        {
            foreach (var range in list.Split((byte)','))
            {
                if (Ascii.EqualsIgnoreCase(list[range].Trim(" \t"u8), expected))
                {
                    return true;
                }
            }

            return false;
        }

        private static bool Once(ref bool seen) => !seen && (seen = true);

        private static bool Set(ref ReadOnlySpan<byte> field, ReadOnlySpan<byte> value)
        {
            field = value;
            return true;
        }
    }
}
