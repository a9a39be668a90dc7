namespace Streams.Wire.Keys;

/// <summary>What a key file holds; a file of another kind is refused, so that an agent cannot be started with the fleet root by
/// mistake.</summary>
public enum KeyFileKind
{
    /// <summary>Ed25519 seed of an agent.</summary>
    Agent,

    /// <summary>Ed25519 seed of a gateway.</summary>
    Gateway,

    /// <summary>Ed25519 seed of a fleet root. Kept offline.</summary>
    Root,

    /// <summary>Ed25519 seed of the services: signs commands that only look.</summary>
    Service,

    /// <summary>Ed25519 seed of an operator: signs commands that change a host. Kept offline.</summary>
    Operator,
}
