using System.Text;
using Streams.Wire.Frames;

namespace Streams.Wire.Json;

/// <summary>
/// The specification's envelope of one received message: where its values are in the text, which stays in its buffer. Form, channel, direction, module and type
/// were checked; everything else is unproven until <see cref="JsonOpener"/> has opened it.
/// </summary>
public sealed class Envelope
{
    internal Envelope()
    {
    }

    /// <summary>See <see cref="Messages.MessageId"/>.</summary>
    public TextSlice Id { get; internal set; }

    public MessageType Type { get; internal set; }

    /// <summary>The row of the table.</summary>
    public Channel Channel { get; internal set; } = Channels.All[0];

    /// <summary>The channel as sent, with its action.</summary>
    public TextSlice ChannelName { get; internal set; }

    /// <summary>Base64.</summary>
    public TextSlice Payload { get; internal set; }

    /// <summary>The sender's clock, Unix µs; a claim.</summary>
    public ulong Timestamp { get; internal set; }

    public TextSlice Nonce { get; internal set; }

    public TextSlice Signature { get; internal set; }

    public TextSlice AgentId { get; internal set; }

    public TextSlice Module { get; internal set; }

    public TextSlice Token { get; internal set; }

    internal TextSlice TypeName { get; set; }

    /// <summary>The last message under its key: what follows comes under the next one.</summary>
    public bool IsRekey => Channel.Number == Channels.FlowRekey;

    /// <summary>Which frame of <c>streams.v1.bin</c> says the same; 0 for a rekey, which is a field of the header there.</summary>
    public FrameType FrameType(bool fromAgent) => Channel.Number switch
    {
        Channels.Auth => fromAgent ? Frames.FrameType.Ready : Frames.FrameType.Session,
        Channels.Heartbeat => fromAgent ? Frames.FrameType.Heartbeat : Frames.FrameType.GatewayHeartbeat,
        Channels.FlowCredit => fromAgent ? Frames.FrameType.Want : Frames.FrameType.Credit,
        Channels.FlowWatermark => Frames.FrameType.Watermark,
        Channels.FlowRewind => Frames.FrameType.Rewind,
        Channels.FlowHold => Frames.FrameType.Hold,
        Channels.FlowRekey => 0,
        Channels.FlowToken => Frames.FrameType.Token,
        Channels.FlowError => fromAgent ? Frames.FrameType.Error : Frames.FrameType.GatewayError,
        _ when Channel.Credit && Type == MessageType.Event => Frames.FrameType.Data,
        _ => fromAgent ? Frames.FrameType.Message : Frames.FrameType.GatewayMessage,
    };

    /// <summary>The id as text; it is ASCII.</summary>
    public string IdText(ReadOnlySpan<byte> text) => Encoding.ASCII.GetString(Id.Of(text));
}
