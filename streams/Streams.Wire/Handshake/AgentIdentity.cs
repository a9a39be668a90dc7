using Streams.Wire.Crypto;

namespace Streams.Wire.Handshake;

/// <summary>An agent's id and key. Owns the key.</summary>
public sealed class AgentIdentity : IDisposable
{
    public AgentIdentity(string agentId, SigningKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!Wire.AgentId.IsValid(agentId))
        {
            throw new ArgumentException("an agent id matches [a-z0-9][a-z0-9-]{0,62}", nameof(agentId));
        }

        AgentId = agentId;
        Key = key;
    }

    public string AgentId { get; }

    public ReadOnlySpan<byte> PublicKey => Key.PublicKey;

    internal SigningKey Key { get; }

    public void Dispose() => Key.Dispose();
}
