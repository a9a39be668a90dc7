namespace Streams.AgentLink.Connect;

/// <summary>
/// TLS for gateways that are reached by wss. Not part of the link: it brings OpenSSL, and with that a third more of binary and memory than an agent has to have.
/// </summary>
public interface ITlsClient
{
    /// <summary>Does the TLS handshake over a connected stream, which the result owns.</summary>
    /// <param name="host">The name or address that the server's certificate must be for.</param>
    /// <exception cref="IOException">There is no trusted connection; the message is one line that says why.</exception>
    ValueTask<Stream> SecureAsync(Stream plain, string host, CancellationToken cancellation);
}
