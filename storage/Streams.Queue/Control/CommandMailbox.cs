using System.Globalization;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Streams.Queue;

/// <summary>The services' end of the agents' command queues, stream COMMANDS: puts in, wakes the gateway, and takes out what is done.</summary>
public sealed class CommandMailbox(QueueConnection connection)
{
    private const int MaximumMessagesPerSubject = 10077;
    private const string TooManyOfSubject = "per subject";

    /// <summary>Stores a command. The same id twice within the duplicate window is stored once.</summary>
    /// <exception cref="QueueException">The queue did not answer: it may be stored or not.</exception>
    public async Task<CommandPosting> PostAsync(string agentId, string messageId, ReadOnlyMemory<byte> document, CancellationToken cancel = default)
    {
        PubAckResponse answer;
        try
        {
            answer = await connection.JetStream.PublishAsync(
                Subjects.Command(agentId),
                document,
                serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
                opts: new NatsJSPubOpts { MsgId = string.Create(CultureInfo.InvariantCulture, $"{messageId}.{agentId}") },
                cancellationToken: cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw new QueueException($"The command for {agentId} was not stored: {ClientFault.Reason(error)}", error);
        }

        return answer.Error is not { } refused ? new CommandPosting(CommandPostOutcome.Stored, answer.Seq)
            : refused.ErrCode == MaximumMessagesPerSubject && refused.Description?.Contains(TooManyOfSubject, StringComparison.Ordinal) == true
                ? new CommandPosting(CommandPostOutcome.AgentFull)
            : refused.ErrCode == MaximumMessagesPerSubject ? new CommandPosting(CommandPostOutcome.QueueFull)
            : throw new QueueException($"The command for {agentId} was refused by the queue: {refused.Description} ({refused.ErrCode})");
    }

    /// <summary>Tells the gateway that holds the agent's session to look. Not kept: a session that begins looks by itself.</summary>
    public async Task NudgeAsync(string agentId, CancellationToken cancel = default)
    {
        try
        {
            await connection.Nats.PublishAsync(Subjects.Nudge(agentId), cancellationToken: cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            QueueMetrics.Shared.Error("nudge");
        }
    }

    /// <summary>Removes an agent's commands below a place.</summary>
    /// <exception cref="QueueException">The queue did not do it; nothing is wrong with doing it again.</exception>
    public async Task PurgeAsync(string agentId, ulong below, CancellationToken cancel = default)
    {
        try
        {
            await connection.JetStream.PurgeStreamAsync(
                Topology.Commands, new StreamPurgeRequest { Filter = Subjects.Command(agentId), Seq = below }, cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw new QueueException($"The commands of {agentId} were not removed: {ClientFault.Reason(error)}", error);
        }
    }
}
