namespace Streams.Queue;

/// <summary>The queue cannot be used as asked: unreachable, not set up, set up differently, or refused. The message is one line for the
/// operator.</summary>
public sealed class QueueException : Exception
{
    public QueueException(string message)
        : base(message)
    {
    }

    public QueueException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
