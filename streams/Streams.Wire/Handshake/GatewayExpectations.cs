namespace Streams.Wire.Handshake;

/// <summary>What an agent demands of a gateway.</summary>
/// <param name="Roots">Pinned fleet roots.</param>
/// <param name="Name">The gateway's name, or null for any gateway that a root has certified.</param>
/// <param name="UnixSeconds">Now, or null when this host's clock is known to be bad (dates are then not checked, and that is
/// reported).</param>
/// <param name="Revoked">Serials that a root has revoked; null when none are known.</param>
public readonly record struct GatewayExpectations(FleetRoots Roots, string? Name, long? UnixSeconds, RevocationList? Revoked = null);
