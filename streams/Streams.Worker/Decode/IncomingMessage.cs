using Streams.Queue;
using Streams.Worker.Admission;

namespace Streams.Worker.Decode;

/// <summary>One message of the partition's stream, as the queue delivered it.</summary>
/// <param name="Sequence">Stream sequence: where reading stands. It never enters a name or a token.</param>
/// <param name="Head">Null when subject or headers could not be read: there is no lane to hold, the message is dropped and counted.</param>
/// <param name="Payload">Whole consecutive batches of one lane, in that encoding.</param>
internal sealed record IncomingMessage(
    ulong Sequence, MessageHead? Head, ReadOnlyMemory<byte> Payload, MessageEncoding Encoding = MessageEncoding.Binary);
