namespace Streams.Wire.Handshake;

/// <summary>
/// Why a handshake ended without a session. Never sent: the peer sees one code whatever the reason. Doubles as a bounded metric label.
/// </summary>
public enum RefusalReason : byte
{
    None = 0,
    Malformed,
    TooLarge,

    /// <summary>The peers have no version in common, or one was chosen that was not offered.</summary>
    UnsupportedVersion,
    UnsupportedSuite,
    ModeNotAllowed,
    BadAgentId,
    UnknownAgent,
    KeyMismatch,
    BadSignature,

    /// <summary>The peer's ephemeral key has small order: the shared secret would be all zero.</summary>
    LowOrderKey,

    /// <summary>Offered subprotocols and selected one do not fit, or the selected one is not spoken here.</summary>
    Subprotocol,

    /// <summary>Agent: the certificate names a root that is not pinned.</summary>
    UnknownRoot,

    /// <summary>Agent: the root's signature on the certificate is wrong.</summary>
    BadCertificate,

    /// <summary>Agent: the gateway's name is not one that is expected.</summary>
    UnexpectedGateway,
    CertificateNotYetValid,
    CertificateExpired,

    /// <summary>Agent: a root has revoked the certificate's serial.</summary>
    CertificateRevoked,

    /// <summary>Agent: the gateway answered with a refusal.</summary>
    RefusedByGateway,

    /// <summary>No free key slots, or another admission limit.</summary>
    Overloaded,
    TimedOut,

    /// <summary>The peer closed the connection.</summary>
    Disconnected,

    /// <summary>The first sealed frame was not the one that confirms the keys.</summary>
    NotConfirmed,
}
