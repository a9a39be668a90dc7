using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using NATS.NKeys;

namespace Streams.Local.Servers;

/// <summary>
/// Proves that nats-server answers and knows our keys: INFO, CONNECT signed with a role's key, PING, PONG. Written out because this
/// project may not see the
/// NATS client (it is of the supervisor, not of the data path).
/// </summary>
internal static class NatsProbe
{
    /// <summary>Null when the server is ready, else what it said.</summary>
    /// <exception cref="SocketException">Nobody listens yet.</exception>
    public static async Task<string?> TryAsync(int port, string seed, CancellationToken cancel)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancel).ConfigureAwait(false);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.UTF8);

        var info = await reader.ReadLineAsync(cancel).ConfigureAwait(false);
        if (info is null || !info.StartsWith("INFO ", StringComparison.Ordinal))
            return "what listens there is no nats-server";
        await stream.WriteAsync(Connect(info, seed), cancel).ConfigureAwait(false);
        while (await reader.ReadLineAsync(cancel).ConfigureAwait(false) is { } line)
        {
            if (line == "PONG")
                return null;
            if (line.StartsWith("-ERR", StringComparison.Ordinal))
                return "nats-server refused our key: " + line;
        }

        return "nats-server closed the connection";
    }

    /// <summary>Whether JetStream answers a question about a stream: a server whose disk was full accepts connections and answers none
    /// until it is started again (2.9.10).</summary>
    /// <param name="seed">The operator's.</param>
    /// <exception cref="SocketException">Nobody listens.</exception>
    public static async Task<bool> AnswersAsync(int port, string seed, CancellationToken cancel)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancel).ConfigureAwait(false);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var info = await reader.ReadLineAsync(cancel).ConfigureAwait(false) ?? "";
        if (!info.StartsWith("INFO ", StringComparison.Ordinal))
            return false;
        await stream.WriteAsync(Connect(info, seed), cancel).ConfigureAwait(false);
        await stream.WriteAsync("SUB _INBOX.operator.probe 1\r\nPUB $JS.API.STREAM.INFO.INGEST_0 _INBOX.operator.probe 0\r\n\r\n"u8.ToArray(), cancel)
            .ConfigureAwait(false);
        while (await reader.ReadLineAsync(cancel).ConfigureAwait(false) is { } line)
        {
            if (line.StartsWith("MSG ", StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static byte[] Connect(string info, string seed)
    {
        using var document = JsonDocument.Parse(info.AsMemory(5));
        var nonce = document.RootElement.TryGetProperty("nonce", out var value) ? value.GetString()! : "";
        using var pair = KeyPair.FromSeed(seed);
        var signature = new byte[64];
        pair.Sign(Encoding.ASCII.GetBytes(nonce), signature);
        return Encoding.ASCII.GetBytes(
            $$"""CONNECT {"verbose":false,"pedantic":false,"lang":"dotnet","version":"1","protocol":1,"nkey":"{{pair.GetPublicKey()}}","sig":"{{Base64Url.EncodeToString(signature)}}"}"""
            + "\r\nPING\r\n");
    }
}
