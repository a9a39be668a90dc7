namespace Streams.Gateway.Sessions;

/// <summary>Who is at the other end of a session, as the handshake left it.</summary>
/// <param name="Key">Ed25519, proved by the handshake.</param>
/// <param name="Remote">Address.</param>
internal readonly record struct SessionPeer(ReadOnlyMemory<byte> Key, string Remote);
