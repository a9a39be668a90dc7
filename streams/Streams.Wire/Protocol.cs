namespace Streams.Wire;

/// <summary>Names that both ends of a connection must agree on before the first byte of the handshake.</summary>
public static class Protocol
{
    /// <summary>Request path of the WebSocket upgrade.</summary>
    public const string Path = "/v1/agent";

    /// <summary>The binary subprotocol: what our agent speaks.</summary>
    public const string BinarySubprotocol = "streams.v1.bin";

    /// <summary>The specification's JSON envelopes, for agents in any language.</summary>
    public const string JsonSubprotocol = "streams.v1.json";

    /// <summary>Newest version of the protocol that this build speaks, and the version byte of its frames.</summary>
    public const byte Version = 1;

    /// <summary>All that it speaks. A server speaks the two versions before its own too, so that agents two versions behind work.</summary>
    public static VersionRange Versions { get; } = new(1, Version);

    /// <summary>Ed25519, X25519, HKDF-SHA-256, ChaCha20-Poly1305.</summary>
    public const byte Suite = 1;
}
