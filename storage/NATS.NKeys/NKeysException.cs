namespace NATS.NKeys;

/// <summary>A key text is malformed, or a key pair cannot do what it was asked to. The message never contains key material.</summary>
public sealed class NKeysException : Exception
{
    public NKeysException(string message)
        : base(message)
    {
    }
}
