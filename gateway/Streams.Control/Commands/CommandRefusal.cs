namespace Streams.Control.Commands;

/// <summary>Why an agent does not run a command. Its name, in snake_case, is the detail of the answer and a bounded label.</summary>
public enum CommandRefusal
{
    None,
    Malformed,
    UnknownKind,
    UnknownRoot,
    BadCertificate,
    CertificateExpired,
    CertificateNotYetValid,

    /// <summary>A fleet root has said that the certificate is no longer good.</summary>
    CertificateRevoked,

    /// <summary>The kind changes a host, and the key is not an operator's.</summary>
    WrongSigner,
    BadSignature,
    NotForThisAgent,
    NotYet,
    Expired,

    /// <summary>Another command had this id.</summary>
    IdReused,

    /// <summary>The agent keeps as many ids as it may: nothing is run that could not be remembered.</summary>
    JournalFull,

    /// <summary>The journal cannot be written.</summary>
    JournalFailed,

    /// <summary>It is signed as it should, and this agent cannot do it.</summary>
    Unsupported,
}
