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
}
