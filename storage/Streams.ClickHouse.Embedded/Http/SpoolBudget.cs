using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>Two bounds on bytes held in memory files: of one request and of all together.</summary>
internal sealed class SpoolBudget(long each, long total)
{
    private long _used;

    /// <summary>Decoded bytes of one body.</summary>
    public long Each => each;

    public bool TryTake(long held, int more)
    {
        if (held + more > each)
            return false;
        if (Interlocked.Add(ref _used, more) <= total)
            return true;
        Interlocked.Add(ref _used, -more);
        return false;
    }

    public void Return(long bytes) => Interlocked.Add(ref _used, -bytes);

    /// <summary>Why <see cref="TryTake"/> said no.</summary>
    public EngineError Refusal(long held, int more) => held + more > each
        ? EngineError.Raise(EngineError.QueryIsTooLarge, "QUERY_IS_TOO_LARGE", $"The request body, decoded, is larger than {each} bytes; insert in smaller blocks or start streams-clickhouse with a larger --max-body")
        : EngineError.Raise(EngineError.MemoryLimitExceeded, "MEMORY_LIMIT_EXCEEDED", $"The bodies of all running requests together are larger than {total} bytes; try again when others have ended");
}
