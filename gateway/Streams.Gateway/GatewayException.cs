namespace Streams.Gateway;

/// <summary>The gateway cannot start; the message is one line for the operator that says what and how to mend it.</summary>
public sealed class GatewayException : Exception
{
    public GatewayException(string message)
        : base(message)
    {
    }

    public GatewayException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
