using Streams.Wire.Handshake;

namespace Streams.Control.Commands;

/// <summary>Whose key signs a command.</summary>
public enum CommandSigner : byte
{
    /// <summary>The backend services' own key: it may ask, and change nothing.</summary>
    Service = 1,

    /// <summary>The key of a person, certified by an offline root: it may change a host.</summary>
    Operator = 2,
}

public static class CommandSigners
{
    /// <summary>What a root must have certified the signer's key for.</summary>
    public static CertificateUse Use(this CommandSigner signer) => signer switch
    {
        CommandSigner.Service => CertificateUse.Service,
        CommandSigner.Operator => CertificateUse.Operator,
        _ => throw new ArgumentOutOfRangeException(nameof(signer)),
    };
}
