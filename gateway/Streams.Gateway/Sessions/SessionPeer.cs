using Streams.Wire.Handshake;

namespace Streams.Gateway.Sessions;

/// <summary>Who is at the two ends of a session, as the handshake left it.</summary>
/// <param name="Key">The agent's Ed25519 key, proved by the handshake.</param>
/// <param name="Remote">Address.</param>
/// <param name="Gateway">What this gateway showed: it signs messages of the session with that key, also when it has another since.</param>
/// <param name="AgentId">Proved by the handshake; empty in mode enrol.</param>
/// <param name="Json">The session's encoding: text messages of <c>streams.v1.json</c>, or frames.</param>
internal readonly record struct SessionPeer(
    ReadOnlyMemory<byte> Key, string Remote, GatewayIdentity Gateway, string AgentId = "", bool Json = false);
