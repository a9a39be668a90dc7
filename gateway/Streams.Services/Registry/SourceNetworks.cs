using System.Net;

namespace Streams.Services.Registry;

/// <summary>Whether an address is in one of a token's networks.</summary>
public static class SourceNetworks
{
    /// <summary>An IPv4 address that came over an IPv6 socket is an IPv4 address. No networks: everywhere.</summary>
    public static bool Contain(IReadOnlyList<string> networks, string source)
    {
        if (networks.Count == 0)
        {
            return true;
        }

        if (!IPAddress.TryParse(source, out var address))
        {
            return false;
        }

        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return networks.Any(network => IPNetwork.TryParse(network, out var parsed) && parsed.Contains(address));
    }

    /// <summary>As 16 bytes, IPv4 mapped; zeros for what is no address.</summary>
    internal static void Write(string source, Span<byte> bytes)
    {
        bytes.Clear();
        if (IPAddress.TryParse(source, out var address))
        {
            address.MapToIPv6().TryWriteBytes(bytes, out _);
        }
    }
}
