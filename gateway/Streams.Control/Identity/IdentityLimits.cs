namespace Streams.Control.Identity;

/// <summary>Bounds of the identity documents (PROTOCOL.md, "Enrolment").</summary>
public static class IdentityLimits
{
    /// <summary>Any of the documents as JSON. The largest has three keys, two signatures and a host name.</summary>
    public const int MaxDocumentBytes = 4096;

    /// <summary>Token ids are hexadecimal digits: keys of a bucket, and words of a command line.</summary>
    public const int TokenIdLength = 16;

    public const int SecretSize = 32;

    /// <summary>Uses of one token: what an image may scale out to.</summary>
    public const int MaxUses = 10_000;

    public const int MaxNetworks = 32;

    /// <summary>Of an agent id made from a prefix: the suffix takes a dash and 12 digits at most.</summary>
    public const int MaxPrefixLength = Wire.Limits.MaxNameBytes - 13;

    public const int MaxHostBytes = Wire.Limits.MaxHostNameBytes;
}
