using System.Text.Json.Serialization;

namespace Streams.Control.Identity;

/// <summary>What became of an <see cref="EnrolRequest"/>: an identity, or why there is none. The same key gets the same answer again until the token ends.</summary>
/// <param name="Refused">None when the agent is let in.</param>
/// <param name="AgentId">Who the agent is from now on; empty when refused.</param>
/// <param name="PublicKey">The key it is let in with, base64url.</param>
/// <param name="Serial">Number of the identity's last change.</param>
public sealed record EnrolAnswer(RegistryRefusal Refused, string AgentId, string PublicKey, ulong Serial)
{
    public static EnrolAnswer Refuse(RegistryRefusal reason) => new(reason, "", "", 0);

    /// <summary>Whether an agent may act on it.</summary>
    [JsonIgnore]
    public bool IsValid => Refused == RegistryRefusal.None
        ? Wire.AgentId.IsValid(AgentId) && CanonicalBase64.IsValid(PublicKey, Wire.Crypto.SigningKey.PublicKeySize)
        : AgentId.Length == 0 && PublicKey.Length == 0;
}
