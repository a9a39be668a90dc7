namespace Streams.Control.Identity;

/// <summary>A request of a gateway to the Registry, over <c>service.registry.enroll</c> and <c>.rotate</c>: what the agent said, and what the gateway knows of it.</summary>
/// <param name="Gateway">The gateway's name.</param>
/// <param name="Source">The address that the gateway saw.</param>
/// <param name="AgentId">The session's agent; empty when it enrols.</param>
/// <param name="PublicKey">The key that the handshake proved, base64url.</param>
/// <param name="Enrol">With <c>enroll</c>.</param>
/// <param name="Rotate">With <c>rotate</c>.</param>
public sealed record RegistryCall(
    string Gateway, string Source, string AgentId, string PublicKey, EnrolRequest? Enrol = null, RotateRequest? Rotate = null);
