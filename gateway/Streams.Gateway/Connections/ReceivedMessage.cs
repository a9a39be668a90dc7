using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Json;

namespace Streams.Gateway.Connections;

/// <summary>One message of an agent, still sealed; with <see cref="Receipt.Frame"/> its receiver owns the buffer.</summary>
/// <param name="Length">Bytes of it in the buffer: what credit and limits count.</param>
/// <param name="Envelope">Of a JSON message; null for a frame.</param>
internal readonly record struct ReceivedMessage(
    Receipt Receipt, byte[] Buffer, int Length, FrameType Type, LaneClass LaneClass, Envelope? Envelope = null)
{
    public Span<byte> Bytes => Buffer.AsSpan(0, Length);

    /// <summary>What is wrong with a malformed JSON message; None when nothing can be named.</summary>
    public WireError Error { get; init; }

    /// <summary>The field at fault.</summary>
    public string Field { get; init; } = "";

    /// <summary>The message's id as far as it is one.</summary>
    public string Id { get; init; } = "";

    public static ReceivedMessage Failed(Receipt receipt) => new(receipt, [], 0, default, default);
}
