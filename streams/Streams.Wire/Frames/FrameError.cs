namespace Streams.Wire.Frames;

/// <summary>Why a frame was not opened; every one of them ends the session. Doubles as a bounded metric label.</summary>
public enum FrameError : byte
{
    None = 0,

    /// <summary>Shorter than header and tag, longer than the limit, or not exactly header + length + tag.</summary>
    BadLength,
    UnknownVersion,

    /// <summary>Unknown type, or a type of the other direction.</summary>
    UnexpectedType,

    /// <summary>A reserved flag or an unknown lane class.</summary>
    BadFlags,

    /// <summary>key_epoch is neither the current nor the next one.</summary>
    BadKeyEpoch,

    /// <summary>The counter is not the one after the last, or the key is used up.</summary>
    BadCounter,

    /// <summary>The tag does not fit.</summary>
    NotAuthentic,

    /// <summary>The session's keys are gone.</summary>
    Closed,

    /// <summary>A JSON message with something wrong that was named to its sender.</summary>
    Refused,
}
