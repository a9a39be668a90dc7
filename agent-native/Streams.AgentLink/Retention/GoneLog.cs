using Streams.Schema;

namespace Streams.AgentLink.Retention;

/// <summary>A lane of which nothing is kept any more, but which the server asks for again.</summary>
internal sealed class GoneLog(uint next) : ILaneLog
{
    public uint First => next;

    public uint Next => next;

    public long Bytes => 0;

    public bool OnDisk => true;

    public bool TryAppend(Span<byte> record) => false;

    public long BytesFrom(uint n) => n < next ? (long)(next - n) * Tombstone.BareSize : 0;

    public int LengthOf(uint n) => 0;

    public ushort ClassOf(uint n) => 0;

    public int CopyFrom(uint n, Span<byte> destination, out int count)
    {
        count = 0;
        return 0;
    }

    public void Commit(uint committed)
    {
    }

    public void Dispose()
    {
    }
}
