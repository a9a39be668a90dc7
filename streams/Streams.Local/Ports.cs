using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Streams.Local;

/// <summary>
/// Chooses the TCP ports of one start. A port that was given must be free; a default falls back to a free one. No port is handed out twice.
/// </summary>
public sealed class Ports
{
    // Below Linux's range for outgoing connections (32768 and up, net.ipv4.ip_local_port_range), so that no connection of
    // anybody's takes the port between this look and the listener's own bind.
    private const int FirstFree = 20_000;
    private const int LastFree = 32_000;

    private readonly HashSet<int> _taken = [];

    /// <summary>A free loopback port.</summary>
    public static int Free() => new Ports().Choose(IPAddress.Loopback);

    /// <summary>Resolves one port.</summary>
    /// <param name="what">What listens there, for the error line.</param>
    /// <param name="option">The option that sets it, for the error line.</param>
    /// <param name="given">The port of the command line, or null.</param>
    /// <param name="fallback">The default port.</param>
    /// <param name="address">The address it will listen on; loopback if null.</param>
    /// <exception cref="LocalException">The given port is in use, out of range or not permitted.</exception>
    public int Resolve(string what, string option, int? given, int fallback, IPAddress? address = null)
    {
        address ??= IPAddress.Loopback;
        if (given is not { } port)
            return TryTake(address, fallback) == SocketError.Success ? fallback : Choose(address);
        if (port is < 1 or > 65_535)
            throw new LocalException(
                string.Create(CultureInfo.InvariantCulture, $"{option} {port} is not a port: give a number from 1 to 65535."));
        return TryTake(address, port) switch
        {
            SocketError.Success => port,
            SocketError.AccessDenied =>
                throw new LocalException(
                    $"Port {port} for {what} needs more rights than this user has; give one above 1023 with {option}."),
            SocketError.AddressNotAvailable =>
                throw new LocalException($"{what} cannot listen on {address}: no interface of this machine has that address."),
            _ => throw new LocalException(
                $"Port {port} for {what} is in use. Stop what listens on {address}:{port}, or give another with {option}."),
        };
    }

    private int Choose(IPAddress address)
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var port = Random.Shared.Next(FirstFree, LastFree);
            if (TryTake(address, port) == SocketError.Success)
                return port;
        }

        throw new LocalException($"No free port was found on {address}.");
    }

    private SocketError TryTake(IPAddress address, int port)
    {
        if (_taken.Contains(port))
            return SocketError.AddressAlreadyInUse;
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(1);
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }

        _taken.Add(port);
        return SocketError.Success;
    }
}
