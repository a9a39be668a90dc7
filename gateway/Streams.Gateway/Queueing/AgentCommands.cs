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
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();

    // Bounded by the sessions that there are.
    private readonly List<CommandQueue> _begun = [];
    private bool _gathering;

    public byte Channel => Wire.Channels.Control;

    public CommandReader Reader => reader;

    public ResponsePublisher Responses => responses;

    public WireError Take(AgentSession session, ControlMessage message)
    {
        // The services verify it; this spares them what no agent should have said.
        if (CommandResponse.Read(message.Payload.Span) is not { } answer || answer.AgentId != session.Route.AgentId)
        {
            return WireError.Malformed;
        }

        return session.Commands is { } commands && commands.TryAnswer(answer.Word.Command, message.Payload) ? WireError.None : WireError.RateLimited;
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

    public CommandQueue Open(AgentSession session) => new(core, this, session);

    /// <summary>
    /// A session began, and is found by nudges from now on. Whether anything waits for anybody is asked once for all that begin together: after a restart these are
    /// thousands, and commonly nothing does. When something does, or nobody answers, each looks for itself.
    /// </summary>
    public void Begun(CommandQueue queue)
    {
        lock (_gate)
        {
            _begun.Add(queue);
            if (_gathering)
            {
                return;
            }

            _gathering = true;
        }

        _ = LookForAllAsync();
    }

    private async Task LookForAllAsync()
    {
        while (true)
        {
            await Task.Delay(Together, core.Time).ConfigureAwait(false);
            CommandQueue[] begun;
            lock (_gate)
            {
                begun = [.. _begun];
                _begun.Clear();
                if (begun.Length == 0)
                {
                    _gathering = false;
                    return;
                }
            }

            if (await AnyWaitsAsync().ConfigureAwait(false))
            {
                Array.ForEach(begun, static queue => queue.Look());
            }
        }
    }

    private async Task<bool> AnyWaitsAsync()
    {
        try
        {
            return await reader.ReadAnyAsync(0).ConfigureAwait(false) is not null;
        }
        catch (QueueException)
        {
            core.Metrics.Error("commands");
            return true;
        }
    }

    /// <summary>The services say that a command waits.</summary>
    public void Nudged(string agentId) => core.Registry.Find(agentId)?.Commands?.Look();
}
