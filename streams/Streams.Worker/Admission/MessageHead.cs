using Streams.Schema;

namespace Streams.Worker.Admission;

/// <summary>What a queue message says about itself in its subject and headers, before any of its bytes is decoded.</summary>
/// <param name="First">Number of its first batch in the lane.</param>
/// <param name="Count">Batches in the message, at least 1.</param>
/// <param name="Generation">Session generation of the agent that the gateway published it under.</param>
/// <param name="ReceivedAt">Microseconds since 1970, stamped once by the gateway: the day of it is the part its rows go to.</param>
internal readonly record struct MessageHead(
    string AgentId, string Host, Epoch Epoch, uint Lane, uint First, uint Count, ulong Generation, long ReceivedAt)
{
    public LaneKey Key => new(AgentId, Epoch.Prefix, Lane);
}
