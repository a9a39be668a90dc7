using System.Globalization;
using System.Text;
using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>
/// The gateway's end of the agents' command queues: the next command of an agent from a place on, by direct get. No consumer, so an agent
/// costs the server nothing while none waits for it.
/// </summary>
public sealed class CommandReader(QueueConnection connection)
{
    private const int NoMessage = 404;

    /// <summary>The first command at or after the place, or null: none waits.</summary>
    /// <exception cref="QueueException">The queue did not answer.</exception>
    public async Task<QueuedCommand?> ReadAsync(string agentId, ulong from, CancellationToken cancel = default) =>
        (await GetAsync(agentId, from, cancel).ConfigureAwait(false))?.Command;

    /// <summary>The first command of any agent at or after the place, or null.</summary>
    /// <exception cref="QueueException">The queue did not answer.</exception>
    public Task<(string AgentId, QueuedCommand Command)?> ReadAnyAsync(ulong from, CancellationToken cancel = default) => GetAsync("*", from, cancel);

    private async Task<(string AgentId, QueuedCommand Command)?> GetAsync(string agentId, ulong from, CancellationToken cancel)
    {
        var request = string.Create(
            CultureInfo.InvariantCulture, $$"""{"seq":{{Math.Max(1, from)}},"next_by_subj":"{{Subjects.Command(agentId)}}"}""");
        NatsMsg<byte[]> answer;
        try
        {
            answer = await connection.Nats.RequestAsync<byte[], byte[]>(
                "$JS.API.DIRECT.GET." + Topology.Commands,
                Encoding.ASCII.GetBytes(request),
                requestSerializer: NatsRawSerializer<byte[]>.Default,
                replySerializer: NatsRawSerializer<byte[]>.Default,
                cancellationToken: cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw new QueueException($"The commands of {agentId} cannot be read: {ClientFault.Reason(error)}", error);
        }

        if (answer.Headers?.Code == NoMessage)
            return null;
        return answer.Headers is { } headers && headers.TryGetValue("Nats-Sequence", out var text)
            && ulong.TryParse(text.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            && headers.TryGetValue("Nats-Subject", out var subject)
            ? (Subjects.AgentOf(subject.ToString()).ToString(), new QueuedCommand(sequence, answer.Data ?? []))
            : throw new QueueException($"The commands of {agentId} cannot be read: {answer.Headers?.Code} {answer.Headers?.MessageText}");
    }
}

/// <summary>A command as it waits: its place, and the document as it was signed.</summary>
public readonly record struct QueuedCommand(ulong Sequence, ReadOnlyMemory<byte> Document);
