using Streams.Gateway.Sessions;
using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.Gateway.Routing;

/// <summary>
/// What is behind one channel of control messages. Called in the connection's own loop: whatever waits goes on by itself, and answers over
/// <see cref="AgentSession.TrySend"/>. The message is the agent's: form, channel and signature were checked.
/// </summary>
internal interface IAgentMessages
{
    /// <summary>Number of the channel, <see cref="Channels"/>.</summary>
    byte Channel { get; }

    /// <summary>None when the message is taken; whatever else is told to the agent in an error frame.</summary>
    WireError Take(AgentSession session, ControlMessage message);

    /// <summary>The agent did not take a message that it was sent on this channel.</summary>
    void NotTaken(AgentSession session, ErrorMessage error)
    {
    }
}
