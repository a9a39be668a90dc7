namespace Streams.Control.Identity;

/// <summary>Bounds of the identity documents (PROTOCOL.md, "Enrolment").</summary>
public static class IdentityLimits
{
    /// <summary>Any of the documents as JSON. The largest has a full list of revocations in base64url.</summary>
    public const int MaxDocumentBytes = 4096;

    /// <summary>Token ids are hexadecimal digits: keys of a bucket, and words of a command line.</summary>
    public const int TokenIdLength = 16;

    public const int SecretSize = Wire.Keys.EnrolmentKey.SecretSize;

    /// <summary>Uses of one token. Who has used it is in its record, which is written anew with each use: 1,000 are 110 KB.</summary>
    public const int MaxUses = 1000;

    public const int MaxNetworks = 32;

    /// <summary>Of an agent id made from a prefix: the suffix takes a dash and 12 digits at most.</summary>
    public const int MaxPrefixLength = Wire.Limits.MaxNameBytes - 13;

    public const int MaxHostBytes = Wire.Limits.MaxHostNameBytes;
}
