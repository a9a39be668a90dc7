namespace Streams.Wire;

/// <summary>Every bound of the wire protocol, in one place (PROTOCOL.md section "Limits").</summary>
public static class Limits
{
    /// <summary>A whole frame: header, ciphertext and tag.</summary>
    public const int MaxFrameBytes = 256 * 1024;

    /// <summary>Plaintext of data frames is padded with zeros to a multiple of this.</summary>
    public const int PaddingBytes = 256;

    /// <summary>Largest plaintext of any frame.</summary>
    public const int MaxPlaintextBytes = MaxFrameBytes - Frames.FrameHeader.Size - Frames.FrameHeader.TagSize;

    /// <summary>Largest plaintext of a data frame, padding included.</summary>
    public const int MaxDataPlaintextBytes = MaxPlaintextBytes / PaddingBytes * PaddingBytes;

    /// <summary>Largest frame of the types that are not data: they are handled in the connection's own loop.</summary>
    public const int MaxControlFrameBytes = 64 * 1024;

    /// <summary>Largest handshake message.</summary>
    public const int MaxHandshakeMessageBytes = 4096;

    /// <summary>From the end of the upgrade to a verified M2, and from M2 to `ready`.</summary>
    public const int HandshakeSeconds = 5;

    /// <summary>A started frame must be complete within this.</summary>
    public const int FrameReceiveSeconds = 10;

    /// <summary>A direction is rekeyed at the latest after this many frames ...</summary>
    public const ulong MaxFramesPerKey = 1UL << 20;

    /// <summary>... or this many seconds, whichever comes first.</summary>
    public const int MaxKeySeconds = 120;

    /// <summary>Length of an agent id and of a gateway name.</summary>
    public const int MaxNameBytes = 63;

    public const int MaxSuites = 8;

    /// <summary>Offered subprotocols and request path, in the prologue.</summary>
    public const int MaxPrologueTextBytes = 1024;

    public const int MaxTokenBytes = 4096;

    /// <summary>Identifier of a message, of <c>[A-Za-z0-9._-]</c>.</summary>
    public const int MaxMessageIdBytes = 64;

    /// <summary>Name of a channel with its action.</summary>
    public const int MaxChannelNameBytes = 64;

    /// <summary>What an error says beside its code: the name of a field.</summary>
    public const int MaxErrorDetailBytes = 64;

    /// <summary>A session of mode enrol ends after this.</summary>
    public const int EnrolSeconds = 10;

    /// <summary>Lanes that may be open (not sealed, or sealed and not wholly committed) in one session.</summary>
    public const int MaxOpenLanes = 64;

    /// <summary>Watermarks in one message; a full state never needs more than this.</summary>
    public const int MaxWatermarks = 1024;

    /// <summary>Modules of one agent (the specification's "up to 10 modules").</summary>
    public const int MaxModules = 10;

    public const int MaxModuleNameBytes = 32;

    /// <summary>Ledger entries in a heartbeat (one per event class).</summary>
    public const int MaxLedgerEntries = 64;

    public const int MaxHostNameBytes = 255;

    public const int MaxVersionTextBytes = 64;

    /// <summary>Number of lane classes, <see cref="LaneClass"/>.</summary>
    public const int LaneClasses = 6;

    /// <summary>The smallest grant of credit a gateway gives.</summary>
    public const int MinGrantBytes = 16 * 1024;

    public const int DefaultHeartbeatSeconds = 30;

    /// <summary>A session ends after this many heartbeats in a row are missing.</summary>
    public const int MissedHeartbeats = 3;

    /// <summary>A session re-handshakes after this long, spread by ± a quarter.</summary>
    public const int SessionSeconds = 24 * 3600;
}
