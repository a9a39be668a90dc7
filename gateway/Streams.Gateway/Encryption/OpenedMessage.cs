using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Encryption;

/// <summary>A message that is not data, opened: the same for both encodings from here on.</summary>
internal readonly ref struct OpenedMessage
{
    /// <summary>0 for a change of key, which has been obeyed: nothing is left to do.</summary>
    public FrameType Type { get; init; }

    /// <summary>As the frame of this type has it in <c>streams.v1.bin</c>.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Of a frame: the place that the signature of a control message names.</summary>
    public FrameHeader Header { get; init; }

    /// <summary>A control message whose envelope was signed and verified.</summary>
    public ControlMessage? Message { get; init; }
}
