using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Text;

namespace Streams.Gateway.Connections;

/// <summary>What the bytes at the start of a proxied connection are.</summary>
internal enum ProxyHeaderState : byte
{
    /// <summary>A header may still come of it.</summary>
    Incomplete = 0,

    /// <summary>A whole header.</summary>
    Complete,

    /// <summary>No header, whatever follows.</summary>
    Malformed,
}

/// <summary>
/// The PROXY protocol, version 1 (text) and 2 (binary), as haproxy's proxy-protocol.txt has it: who connected to the proxy. Strict, because a header that two
/// programs read differently names two sources.
/// </summary>
internal static class ProxyHeader
{
    /// <summary>The longest line of version 1, its end included.</summary>
    public const int MaxLineBytes = 107;

    /// <summary>What version 2 may have behind its first 16 bytes: addresses, then additions that proxies keep to some hundred bytes.</summary>
    public const int MaxBodyBytes = 1024;

    private const int FixedBytes = 16;
    private const int ChecksumKind = 3;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    private static ReadOnlySpan<byte> Word => "PROXY "u8;

    /// <param name="length">Bytes of the header when it is complete.</param>
    /// <param name="source">Null when the proxy speaks for itself (a health check) or does not know.</param>
    public static ProxyHeaderState Read(in ReadOnlySequence<byte> input, out int length, out IPEndPoint? source)
    {
        length = 0;
        source = null;
        Span<byte> bytes = stackalloc byte[FixedBytes + MaxBodyBytes];
        bytes = bytes[..(int)Math.Min(bytes.Length, input.Length)];
        input.Slice(0, bytes.Length).CopyTo(bytes);
        if (StartsAs(bytes, Signature))
        {
            return bytes.Length < FixedBytes ? ProxyHeaderState.Incomplete : ReadBinary(bytes, out length, out source);
        }

        return StartsAs(bytes, Word) ? ReadLine(bytes, out length, out source) : ProxyHeaderState.Malformed;
    }

    /// <summary>Equal as far as either goes.</summary>
    private static bool StartsAs(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> start)
    {
        var common = Math.Min(bytes.Length, start.Length);
        return bytes[..common].SequenceEqual(start[..common]);
    }

    private static ProxyHeaderState ReadLine(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? source)
    {
        length = 0;
        source = null;
        var line = bytes[..Math.Min(bytes.Length, MaxLineBytes)];
        var end = line.IndexOf("\r\n"u8);
        if (end < 0)
        {
            return bytes.Length < MaxLineBytes ? ProxyHeaderState.Incomplete : ProxyHeaderState.Malformed;
        }

        line = line[..end];
        if (line.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            return ProxyHeaderState.Malformed;
        }

        length = end + 2;
        var words = Encoding.ASCII.GetString(line).Split(' ');
        // After UNKNOWN the line may say anything, and none of it counts.
        if (words[1] == "UNKNOWN")
        {
            return ProxyHeaderState.Complete;
        }

        var family = words[1] switch
        {
            "TCP4" => AddressFamily.InterNetwork,
            "TCP6" => AddressFamily.InterNetworkV6,
            _ => AddressFamily.Unknown,
        };
        if (family == AddressFamily.Unknown || words.Length != 6 || Address(words[2], family) is not { } address || Address(words[3], family) is null
            || !TryPort(words[4], out var port) || !TryPort(words[5], out _))
        {
            return ProxyHeaderState.Malformed;
        }

        source = new IPEndPoint(address, port);
        return ProxyHeaderState.Complete;
    }

    private static IPAddress? Address(string text, AddressFamily family)
    {
        if (!IPAddress.TryParse(text, out var address) || address.AddressFamily != family)
        {
            return null;
        }

        // "10.1", "0x0a000001" and "010.0.0.1" are addresses to the parser, and other ones to other parsers.
        return family == AddressFamily.InterNetwork ? address.ToString() == text ? address : null
            : text.AsSpan().ContainsAny('%', '[', ']') ? null : address;
    }

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= ushort.MaxValue
        && text.Length == port.ToString(CultureInfo.InvariantCulture).Length;

    private static ProxyHeaderState ReadBinary(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? source)
    {
        length = 0;
        source = null;
        var body = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (body > MaxBodyBytes || bytes[12] is not (0x20 or 0x21))
        {
            return ProxyHeaderState.Malformed;
        }

        if (bytes.Length < FixedBytes + body)
        {
            return ProxyHeaderState.Incomplete;
        }

        length = FixedBytes + body;
        bytes = bytes[..length];
        var isLocal = bytes[12] == 0x20;
        // Address family and transport: nothing, TCP over IPv4, TCP over IPv6. A connection of ours is no datagram and no local socket.
        var addresses = bytes[13] switch
        {
            0x00 => 0,
            0x11 => 12,
            0x21 => 36,
            _ => isLocal ? 0 : int.MaxValue,
        };
        if (body < addresses)
        {
            return ProxyHeaderState.Malformed;
        }

        if (isLocal)
        {
            return ProxyHeaderState.Complete;
        }

        var additions = FixedBytes + addresses;
        if (!AreAdditionsGood(bytes, additions))
        {
            return ProxyHeaderState.Malformed;
        }

        if (addresses > 0)
        {
            var size = (addresses - 4) / 2;
            var ports = FixedBytes + (2 * size);
            source = new IPEndPoint(new IPAddress(bytes.Slice(FixedBytes, size)), BinaryPrimitives.ReadUInt16BigEndian(bytes[ports..]));
        }

        return ProxyHeaderState.Complete;
    }

    /// <summary>Each is a kind, a length and so many bytes; a checksum, where there is one, must be right.</summary>
    private static bool AreAdditionsGood(ReadOnlySpan<byte> header, int at)
    {
        while (at < header.Length)
        {
            if (header.Length - at < 3)
            {
                return false;
            }

            var size = BinaryPrimitives.ReadUInt16BigEndian(header[(at + 1)..]);
            if (size > header.Length - at - 3 || (header[at] == ChecksumKind && !IsChecksum(header, at + 3, size)))
            {
                return false;
            }

            at += 3 + size;
        }

        return true;
    }

    /// <summary>CRC-32C of the header with the checksum's own bytes as zeros.</summary>
    private static bool IsChecksum(ReadOnlySpan<byte> header, int at, int size)
    {
        if (size != 4)
        {
            return false;
        }

        var sum = uint.MaxValue;
        for (var i = 0; i < header.Length; i++)
        {
            sum = BitOperations.Crc32C(sum, i >= at && i < at + 4 ? (byte)0 : header[i]);
        }

        return BinaryPrimitives.ReadUInt32BigEndian(header[at..]) == ~sum;
    }
}
