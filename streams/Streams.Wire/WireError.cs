namespace Streams.Wire;

/// <summary>
/// Why a message was not taken: the code of an error frame, of <c>session.flow.error</c>, and a bounded metric label. Numbers are append only; PROTOCOL.md prints
/// the same table.
/// </summary>
public enum WireError : ushort
{
    None = 0,

    /// <summary>The message or its document cannot be read.</summary>
    Malformed = 1,
    UnknownChannel = 2,
    WrongDirection = 3,
    WrongModule = 4,
    WrongType = 5,

    /// <summary>The signature is not the sender's, or not over this message at this place of this session.</summary>
    BadSignature = 6,
    TooLarge = 7,

    /// <summary>Not in this session or state, e.g. any channel but agent.registry in mode enrol.</summary>
    NotAllowed = 8,

    /// <summary>Understood, but nothing here does it.</summary>
    Unsupported = 9,

    /// <summary>Too many of them; later ones are taken again.</summary>
    RateLimited = 10,

    /// <summary>The service behind does not answer; the same message may come again.</summary>
    Unavailable = 11,

    /// <summary>Its deadline is over.</summary>
    Expired = 12,

    /// <summary>A field that is not of the document; the detail names it, as with the next three.</summary>
    UnknownField = 13,
    DuplicateKey = 14,
    MissingField = 15,

    /// <summary>Out of range, of another form or type, or a number that is no integer.</summary>
    BadValue = 16,

    /// <summary>Not the nonce that is next.</summary>
    BadNonce = 17,

    /// <summary>The session token is not one of this session, or has expired.</summary>
    BadToken = 18,

    /// <summary>The headers name another agent than the session's.</summary>
    BadAgent = 19,

    /// <summary>Something of that id was taken before, with other content.</summary>
    Replayed = 20,

    /// <summary>The service said no; why is in its log and not on the wire.</summary>
    Refused = 21,

    /// <summary>The session ends: <c>session.flow.error</c> in the place of goodbye.</summary>
    Goodbye = 22,

    /// <summary>The ciphertext does not open.</summary>
    NotAuthentic = 23,
}

/// <summary>The table of errors beside their numbers.</summary>
public static class WireErrors
{
    private static readonly string[] Labels =
    [
        "none", "malformed", "unknown_channel", "wrong_direction", "wrong_module", "wrong_type", "bad_signature", "too_large", "not_allowed", "unsupported",
        "rate_limited", "unavailable", "expired", "unknown_field", "duplicate_key", "missing_field", "bad_value", "bad_nonce", "bad_token", "bad_agent",
        "replayed", "refused", "goodbye", "not_authentic",
    ];

    /// <summary>Name as documents, logs and metrics have it.</summary>
    public static string Label(this WireError error) => (int)error < Labels.Length ? Labels[(int)error] : "unknown";

    /// <summary>The error of a name; None for a name that this version does not know.</summary>
    public static WireError FromLabel(string label) => (WireError)Math.Max(0, Array.IndexOf(Labels, label));

    /// <summary>True when the session cannot go on: sender and receiver no longer agree where they are.</summary>
    public static bool EndsSession(this WireError error) => error is WireError.BadNonce or WireError.NotAuthentic or WireError.Goodbye;
}
