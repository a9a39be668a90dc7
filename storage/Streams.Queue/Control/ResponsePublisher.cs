using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>The gateway's end of the responses: what agents answered goes into stream RESPONSES.</summary>
public sealed class ResponsePublisher(QueueConnection connection)
{
    /// <summary>False: the queue did not take it, or did not say so; the agent will be asked again.</summary>
    public async Task<bool> TryPublishAsync(string agentId, ReadOnlyMemory<byte> response, CancellationToken cancel = default)
    {
        try
        {
            var answer = await connection.JetStream.PublishAsync(
                Subjects.Response(agentId),
                response,
                serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
                cancellationToken: cancel).ConfigureAwait(false);
            return answer.Error is null;
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            QueueMetrics.Shared.Error("response");
            return false;
        }
    }
}
