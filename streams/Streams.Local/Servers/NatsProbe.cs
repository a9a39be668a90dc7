using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using NATS.NKeys;

namespace Streams.Local.Servers;

/// <summary>
/// Proves that nats-server does its work: INFO, CONNECT signed with a role's key, a question to JetStream and its answer. Written out
/// because this project may not see the NATS client (it is of the supervisor, not of the data path).
/// </summary>
internal static class NatsProbe
{
    // The list asks every stream for its state: a server goes silent stream by stream.
    private static readonly byte[] Question =
        "SUB _INBOX.operator.probe 1\r\nPUB $JS.API.STREAM.LIST _INBOX.operator.probe 0\r\n\r\n"u8.ToArray();

    /// <summary>
    /// Null when all of JetStream answers, else what is wrong. A stream whose file could not be written, because the disk was full, answers
    /// nothing any more until the server is started again (2.9.10), while PING and other streams are answered.
    /// </summary>
    /// <param name="seed">The operator's.</param>
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
        await stream.WriteAsync(Question, cancel).ConfigureAwait(false);
        while (await reader.ReadLineAsync(cancel).ConfigureAwait(false) is { } line)
        {
            if (line.StartsWith("MSG ", StringComparison.Ordinal))
                return null;
            // A message with headers and nothing else is the server's "no responders".
            if (line.StartsWith("HMSG ", StringComparison.Ordinal))
                return "nats-server has no JetStream";
            if (line.StartsWith("-ERR", StringComparison.Ordinal))
                return "nats-server refused our key: " + line;
        }

        return "nats-server closed the connection";
    }

    private static byte[] Connect(string info, string seed)
    {
        using var document = JsonDocument.Parse(info.AsMemory(5));
        var nonce = document.RootElement.TryGetProperty("nonce", out var value) ? value.GetString()! : "";
        using var pair = KeyPair.FromSeed(seed);
        var signature = new byte[64];
        pair.Sign(Encoding.ASCII.GetBytes(nonce), signature);
        return Encoding.ASCII.GetBytes(
            """CONNECT {"verbose":false,"pedantic":false,"lang":"dotnet","version":"1","protocol":1,"headers":true,"no_responders":true,"""
            + $$""" "nkey":"{{pair.GetPublicKey()}}","sig":"{{Base64Url.EncodeToString(signature)}}"}"""
            + "\r\n");
    }
}
