using Streams.Control.Commands;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.Gateway.Queueing;

/// <summary>
/// Channel agent.control: commands that wait in the queue go to their agents, in order, and what agents say of them goes into the queue of
/// responses. The gateway signs no command and removes none: a captured one can keep commands back, and steer nobody.
/// </summary>
internal sealed class AgentCommands(GatewayCore core, CommandReader reader, ResponsePublisher responses) : IAgentMessages
{
    public byte Channel => Wire.Channels.Control;

    public CommandReader Reader => reader;

    public ResponsePublisher Responses => responses;

    public WireError Take(AgentSession session, ControlMessage message)
    {
        if (!CommandEvent.TryRead(message.Payload.Span, out var word) || word.State < CommandState.Received)
        {
            return WireError.Malformed;
        }

        return session.Commands is { } commands && commands.TryAnswer(word, message.Payload) ? WireError.None : WireError.RateLimited;
    }

    /// <summary>The agent could not read it, and says no more about it; or it has no room, and is to be sent it again.</summary>
    public void NotTaken(AgentSession session, ErrorMessage error)
    {
        if (error.Code == WireError.RateLimited)
        {
            _ = session.Commands?.BeginAgainAsync();
        }
        else
        {
            session.Commands?.Answered(error.Id);
        }
    }

    /// <summary>A session began: what waits for its agent is looked for at once.</summary>
    public CommandQueue Open(AgentSession session)
    {
        var queue = new CommandQueue(core, this, session);
        queue.Look();
        return queue;
    }

    /// <summary>The services say that a command waits.</summary>
    public void Nudged(string agentId) => core.Registry.Find(agentId)?.Commands?.Look();
}
