using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Streams.Gateway.Auth;

/// <summary>Whom an address belongs to, for admission: an IPv4 address, or the /56 of an IPv6 address, which is what one site usually has.</summary>
internal readonly record struct SourcePrefix(ulong Value, bool IsV6)
{
    public static SourcePrefix Of(IPAddress? address)
    {
        if (address is null)
        {
            return default;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out _))
        {
            return default;
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? new SourcePrefix(BinaryPrimitives.ReadUInt64BigEndian(bytes) & ~0xFFUL, true)
            : new SourcePrefix(BinaryPrimitives.ReadUInt32BigEndian(bytes), false);
    }

    /// <summary>Of an address as text; the default for what is none.</summary>
    public static SourcePrefix Of(string address) => Of(IPAddress.TryParse(address, out var parsed) ? parsed : null);

    /// <summary>The prefix as 16 bytes of an IPv6 address, IPv4 mapped.</summary>
    public void Write(Span<byte> address)
    {
        address[..16].Clear();
        if (IsV6)
        {
            BinaryPrimitives.WriteUInt64BigEndian(address, Value);
            return;
        }

        address[10..12].Fill(0xFF);
        BinaryPrimitives.WriteUInt32BigEndian(address[12..], (uint)Value);
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        Write(bytes);
        var address = new IPAddress(bytes);
        return IsV6 ? $"{address}/56" : address.MapToIPv4().ToString();
    }
}
