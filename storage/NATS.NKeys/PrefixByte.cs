namespace NATS.NKeys;

/// <summary>
/// What a key is for. The value is the first byte of the encoded key; its upper five bits are the first base32 letter,
/// so that the kind can be read from the text (U = user, A = account ...).
/// </summary>
public enum PrefixByte : byte
{
    /// <summary>Letter A.</summary>
    Account = 0,

    /// <summary>Letter C.</summary>
    Cluster = 2 << 3,

    /// <summary>Letter N.</summary>
    Server = 13 << 3,

    /// <summary>Letter O.</summary>
    Operator = 14 << 3,

    /// <summary>Letter P: an expanded private key. Never made here, only recognised.</summary>
    Private = 15 << 3,

    /// <summary>Letter S: a seed; the kind of its key follows in the next five bits.</summary>
    Seed = 18 << 3,

    /// <summary>Letter U.</summary>
    User = 20 << 3,

    /// <summary>Letter X: a curve key (X25519). Recognised, not supported: Streams uses none.</summary>
    Curve = 23 << 3,
}
