namespace Streams.Wire.Frames;

/// <summary>Types of sealed frames. Numbers are append only; 1-63 agent to gateway, 64-127 gateway to agent.</summary>
public enum FrameType : byte
{
    /// <summary>Key confirmation and the agent's claims; must be the agent's first frame.</summary>
    Ready = 1,

    /// <summary>Whole consecutive batches of one lane, padded; the only type that counts against credit.</summary>
    Data = 2,

    /// <summary>What the agent would send next, per lane class.</summary>
    Want = 3,

    /// <summary>Agent's heartbeat.</summary>
    Heartbeat = 4,

    /// <summary>A control message, signed by the agent.</summary>
    Message = 5,

    /// <summary>Why a message of the gateway was not taken.</summary>
    Error = 6,

    /// <summary>F0: must be the gateway's first frame.</summary>
    Session = 64,

    /// <summary>Absolute offsets per lane class.</summary>
    Credit = 65,

    /// <summary>Committed batches per lane.</summary>
    Watermark = 66,

    /// <summary>Gateway's heartbeat, with the full watermark state.</summary>
    GatewayHeartbeat = 67,

    /// <summary>The gateway ends the session, with a reason.</summary>
    Goodbye = 68,

    /// <summary>Lanes to send again from a number on, within the session. Same layout as <see cref="Watermark"/>.</summary>
    Rewind = 69,

    /// <summary>Lanes whose next batch this server cannot store yet (unknown class or newer schema). Same layout as <see cref="Watermark"/>.</summary>
    Hold = 70,

    /// <summary>A control message, signed by the gateway.</summary>
    GatewayMessage = 71,

    /// <summary>The next session token.</summary>
    Token = 72,

    /// <summary>Why a message of the agent was not taken.</summary>
    GatewayError = 73,
}
