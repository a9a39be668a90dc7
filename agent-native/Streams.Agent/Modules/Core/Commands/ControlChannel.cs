using Streams.Agent.Logging;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Core.Identity;
using Streams.AgentLink.Connect;
using Streams.Control.Commands;
using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.Agent.Modules.Core.Commands;

/// <summary>Puts commands on the agent's connection.</summary>
internal static class ControlChannel
{
    private const string JournalName = "commands.journal";

    /// <summary>Opens the journal and begins to take commands. Without a journal every command is refused, and the agent does all else.</summary>
    public static CommandControl Open(
        string agentId, RegistryChannel registry, string stateDirectory, Func<byte[]> status, CommModule comm, AgentLog log, TimeProvider clock)
    {
        var pinned = registry.Pinned;
        var time = new CommandClock(clock, ClockFloor.Default);
        CommandJournal? journal = null;
        try
        {
            journal = CommandJournal.OpenAt(Path.Combine(stateDirectory, JournalName), time);
        }
        catch (AgentException e)
        {
            log.Error(AgentEvent.CommandJournal, ModuleName.Core, $"commands are refused: {e.Message}");
        }

        var control = new CommandControl(
            new CommandVerifier(() => pinned.Roots, () => pinned.Revoked, agentId, time), journal, [new StatusHandler(status)],
            () => registry.Identity, answer => Answer(comm, answer, log, clock), log, clock);
        control.Recover();
        comm.OnControl = message => control.Receive(message.Id, message.Payload.Span) ? WireError.None : WireError.RateLimited;
        comm.SessionBegan = control.SessionBegan;
        return control;
    }

    private static void Answer(CommModule comm, CommandAnswer answer, AgentLog log, TimeProvider clock)
    {
        var now = (ulong)Math.Max(0, (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        if (!comm.TrySend(new ControlMessage(MessageType.Response, Channels.Control, answer.Word.Command, ModuleName.Core, now, CommandResponse.Write(answer))))
            log.Warn(AgentEvent.CommandDropped, ModuleName.Core, $"command {answer.Word.Command}: too many messages wait for the gateway; it asks again");
    }
}
