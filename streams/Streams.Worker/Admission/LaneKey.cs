namespace Streams.Worker.Admission;

/// <summary>
/// A lane of one agent. The epoch is its first 8 bytes, as in every table: what recovery reads from ClickHouse and what a message
/// says must be the same key.
/// </summary>
internal readonly record struct LaneKey(string AgentId, ulong Epoch, uint Lane)
{
    public override string ToString() => $"{AgentId}/{Epoch:x16}/{Lane}";
}
