namespace Streams.Queue;

/// <summary>What one read brought; dispose it when the payloads are done with.</summary>
public sealed class ReadBatch : IDisposable
{
    private readonly List<IngestMessage> _messages = [];
    private Action<long>? _released;

    internal ReadBatch(ReadCondition condition, string detail = "")
    {
        Condition = condition;
        Detail = detail;
    }

    public ReadCondition Condition { get; }

    /// <summary>In order; empty unless the condition is <see cref="ReadCondition.Messages"/>.</summary>
    public IReadOnlyList<IngestMessage> Messages => _messages;

    /// <summary>First missing sequence of a gap.</summary>
    public ulong GapFrom { get; internal init; }

    /// <summary>Last missing sequence of a gap.</summary>
    public ulong GapTo { get; internal init; }

    /// <summary>What happened, for the log; empty for messages.</summary>
    public string Detail { get; }

    /// <summary>Payload bytes of all messages.</summary>
    public long Bytes { get; private set; }

    public void Dispose()
    {
        foreach (var message in _messages)
            message.Release();
        _messages.Clear();
        _released?.Invoke(Bytes);
        _released = null;
        Bytes = 0;
    }

    internal void Add(IngestMessage message)
    {
        _messages.Add(message);
        Bytes += message.Payload.Length;
    }

    internal void OnRelease(Action<long> released) => _released = released;
}
