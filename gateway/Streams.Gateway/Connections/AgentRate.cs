using Streams.Gateway.Sessions;

namespace Streams.Gateway.Connections;

/// <summary>
/// What one agent may cost after it has proved who it is: messages, bytes and signature checks a second. Credit bounds the memory of its data, not how often it
/// speaks. It belongs to the agent and not to the session: reconnecting does not fill it. Thread-safe.
/// </summary>
internal sealed class AgentRate
{
    private readonly Lock _gate = new();
    private RateBucket _messages;
    private RateBucket _bytes;
    private RateBucket _signatures;

    public AgentRate(GatewayOptions options, long now)
        : this(options.AgentMessageRate, options.AgentByteRate, options.AgentSignatureRate, options.AgentBurst, now)
    {
    }

    private AgentRate(long messages, long bytes, long signatures, TimeSpan burst, long now)
    {
        _messages = new RateBucket(messages, burst, now);
        _bytes = new RateBucket(bytes, burst, now);
        _signatures = new RateBucket(signatures, burst, now);
    }

    /// <summary>Of a session of mode enrol, in which one question of a kilobyte or two is asked, and perhaps asked again.</summary>
    public static AgentRate OfStranger(long now) => new(4, 16 << 10, 4, TimeSpan.FromSeconds(4), now);

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
