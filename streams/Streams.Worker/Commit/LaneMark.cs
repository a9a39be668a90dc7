using Streams.Schema;

namespace Streams.Worker.Commit;

/// <summary>What an agent is told about a lane: committed batches (<paramref name="N"/> is the next expected), or to go back to N.</summary>
internal readonly record struct LaneMark(bool Rewind, string AgentId, Epoch Epoch, uint Lane, uint N);
