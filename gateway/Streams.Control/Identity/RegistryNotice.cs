namespace Streams.Control.Identity;

/// <summary>What a gateway saw of an agent and the Registry has to keep, over <c>service.registry.notice</c>.</summary>
/// <param name="PublicKey">The key of the session, base64url.</param>
/// <param name="Detail">Which sign it was; a bounded label.</param>
public sealed record RegistryNotice(string Gateway, string Source, string AgentId, NoticeKind Kind, string PublicKey, string Detail);
