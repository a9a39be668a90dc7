namespace Streams.Wire.Messages;

/// <summary>The specification's envelope without what a session knows already: its encodings add signature and, in JSON, nonce and token.</summary>
/// <param name="Channel">Number in the table of channels.</param>
/// <param name="Id">See <see cref="MessageId"/>; a response has that of its request.</param>
/// <param name="Module">The agent's module.</param>
/// <param name="Timestamp">The sender's clock, Unix µs; a claim.</param>
/// <param name="Payload">A JSON document of the channel's kind.</param>
public sealed record ControlMessage(MessageType Type, byte Channel, string Id, string Module, ulong Timestamp, ReadOnlyMemory<byte> Payload);
