namespace Streams.Local;

/// <summary>
/// Something on this machine stands in the way of starting. The message is one line that says what, and how to mend it: print it, no
/// stack trace.
/// </summary>
public sealed class LocalException : Exception
{
    public LocalException(string message)
        : base(message)
    {
    }

    public LocalException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
