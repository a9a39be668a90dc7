using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Streams.Gateway.Tests.Support;

/// <summary>Ways to connect to a gateway other than the usual one.</summary>
internal static class Dial
{
    /// <param name="first">Sent before everything else, e.g. a proxy's header.</param>
    /// <param name="receiveBytes">The socket's receive buffer; 0 leaves it.</param>
    public static SocketsHttpHandler Plain(byte[] first, int receiveBytes = 0) => new()
    {
        ConnectCallback = async (context, cancel) => new NetworkStream(await ConnectAsync((IPEndPoint)Parse(context.DnsEndPoint), first, receiveBytes, cancel), true),
    };

    /// <summary>Connects from another address of this machine, e.g. 127.0.0.2.</summary>
    public static SocketsHttpHandler From(IPAddress source) => new()
    {
        ConnectCallback = async (context, cancel) => new NetworkStream(await ConnectAsync((IPEndPoint)Parse(context.DnsEndPoint), [], 0, cancel, source), true),
    };

    /// <param name="seen">Told of the server's certificate.</param>
    public static SocketsHttpHandler Secure(X509Certificate2 authority, Action<X509Certificate>? seen = null, byte[]? first = null) => new()
    {
        ConnectCallback = async (context, cancel) => new NetworkStream(await ConnectAsync((IPEndPoint)Parse(context.DnsEndPoint), first ?? [], 0, cancel), true),
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { authority },
                RevocationMode = X509RevocationMode.NoCheck,
            },
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                seen?.Invoke(certificate!);
                return errors == SslPolicyErrors.None;
            },
        },
    };

    public static async Task<Socket> ConnectAsync(
        IPEndPoint address, byte[] first, int receiveBytes = 0, CancellationToken cancel = default, IPAddress? source = null)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (source is not null)
        {
            socket.Bind(new IPEndPoint(source, 0));
        }

        if (receiveBytes > 0)
        {
            socket.ReceiveBufferSize = receiveBytes;
        }

        await socket.ConnectAsync(address, cancel);
        if (first.Length > 0)
        {
            await socket.SendAsync(first, cancel);
        }

        return socket;
    }

    /// <summary>What the gateway says until it closes.</summary>
    public static async Task<string> ReadToEndAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var text = new System.Text.StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, patience.Token) is var read and > 0)
            {
                text.Append(System.Text.Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (SocketException)
        {
            // A reset is an end as well.
        }

        return text.ToString();
    }

    private static EndPoint Parse(DnsEndPoint name) => new IPEndPoint(IPAddress.Parse(name.Host), name.Port);
}
