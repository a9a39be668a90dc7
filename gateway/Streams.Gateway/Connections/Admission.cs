using Streams.Gateway.Auth;

namespace Streams.Gateway.Connections;

/// <summary>The places that a connection holds on its way to a session; a feature of the connection from its first byte on.</summary>
/// <param name="connection">Among its source's connections without a session. Given back when there is one: an agent that has proved who it is counts for itself.</param>
internal sealed class Admission(Place connection)
{
    public Place Connection => connection;

    /// <summary>Among the TLS handshakes.</summary>
    public Place? Secure { get; set; }

    /// <summary>Among the handshakes.</summary>
    public Place? Handshake { get; set; }
}
