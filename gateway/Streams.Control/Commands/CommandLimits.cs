namespace Streams.Control.Commands;

/// <summary>Every bound of a command (PROTOCOL.md, "Commands").</summary>
public static class CommandLimits
{
    public const int MaxKindBytes = 32;
    public const int MaxAgents = 256;
    public const int MaxArguments = 16;
    public const int MaxArgumentNameBytes = 32;
    public const int MaxArgumentValueBytes = 1024;
    public const int MaxActorBytes = 64;

    /// <summary>A whole document. Base64url of it and the envelope fit a control frame of 64 KiB.</summary>
    public const int MaxDocumentBytes = 40 * 1024;

    /// <summary>From issue to deadline. Agents keep ids until a day after the deadline, so it bounds their journals.</summary>
    public static readonly TimeSpan MaxLife = TimeSpan.FromDays(7);

    /// <summary>How far the issuer's clock may be ahead of the agent's.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    /// <summary>Commands of one agent that may wait.</summary>
    public const int MaxWaiting = 64;

    /// <summary>A result, as JSON. What is longer is not sent: the answer says so.</summary>
    public const int MaxResultBytes = 32 * 1024;

    /// <summary>Arrays and objects in each other in a result.</summary>
    public const int MaxResultDepth = 8;

    public const int MaxDetailBytes = 255;
}
