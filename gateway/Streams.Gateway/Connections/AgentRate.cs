using Streams.Gateway.Sessions;

namespace Streams.Gateway.Connections;

/// <summary>
/// What one agent may cost after it has proved who it is: messages, bytes and signature checks a second. Credit bounds the memory of its data, not how often it
/// speaks. It belongs to the agent and not to the session: reconnecting does not fill it. Thread-safe.
/// </summary>
internal sealed class AgentRate(GatewayOptions options, long now)
{
    private readonly Lock _gate = new();
    private RateBucket _messages = new(options.AgentMessageRate, options.AgentBurst, now);
    private RateBucket _bytes = new(options.AgentByteRate, options.AgentBurst, now);
    private RateBucket _signatures = new(options.AgentSignatureRate, options.AgentBurst, now);

    /// <summary>Counts a received message of so many bytes; None when the agent may go on.</summary>
    public SessionEnd Receive(int bytes, long now)
    {
        lock (_gate)
        {
            return !_messages.TryTake(1, now) ? SessionEnd.MessageRate
                : !_bytes.TryTake(bytes, now) ? SessionEnd.ByteRate
                : SessionEnd.None;
        }
    }

    /// <summary>Counts a signature that is about to be checked, 70 µs; None when it may be.</summary>
    public SessionEnd CheckSignature(long now)
    {
        lock (_gate)
        {
            return _signatures.TryTake(1, now) ? SessionEnd.None : SessionEnd.SignatureRate;
        }
    }

    /// <summary>Forgetting it would change nothing.</summary>
    public bool IsFull(long now)
    {
        lock (_gate)
        {
            return _messages.IsFull(now) && _bytes.IsFull(now) && _signatures.IsFull(now);
        }
    }
}
