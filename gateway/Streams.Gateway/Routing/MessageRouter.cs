using Streams.Gateway.Sessions;
using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.Gateway.Routing;

/// <summary>Hands control messages to what is behind their channel. Filled before the gateway listens, then only read.</summary>
internal sealed class MessageRouter
{
    private readonly IAgentMessages?[] _byChannel = new IAgentMessages?[byte.MaxValue + 1];

    /// <summary>Whether somebody answers: without a registry, e.g., there is no enrolment.</summary>
    public bool Has(byte channel) => _byChannel[channel] is not null;

    public void Add(IAgentMessages messages)
    {
        if (_byChannel[messages.Channel] is not null)
        {
            throw new ArgumentException($"channel {messages.Channel} has an owner", nameof(messages));
        }

        _byChannel[messages.Channel] = messages;
    }

    public WireError Take(AgentSession session, ControlMessage message) =>
        _byChannel[message.Channel]?.Take(session, message) ?? WireError.Unsupported;

    public void NotTaken(AgentSession session, ErrorMessage error) => _byChannel[error.Channel]?.NotTaken(session, error);
}
