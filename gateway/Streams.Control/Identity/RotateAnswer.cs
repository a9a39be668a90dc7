namespace Streams.Control.Identity;

/// <summary>What became of a <see cref="RotateRequest"/>. Until the first session under the new key both are good.</summary>
/// <param name="Refused">None when the new key is good.</param>
/// <param name="PublicKey">The new key; empty when refused.</param>
/// <param name="Serial">Number of the identity's last change.</param>
public sealed record RotateAnswer(RegistryRefusal Refused, string PublicKey, ulong Serial)
{
    public static RotateAnswer Refuse(RegistryRefusal reason) => new(reason, "", 0);
}
