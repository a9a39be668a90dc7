using System.Buffers;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>
/// The worker's side of flow, per partition: tells deltas and answers questions. Told without acknowledgement: a watermark is state that
/// can always be asked for, a lost
/// message costs nothing but time.
/// </summary>
public sealed partial class FlowPublisher : IAsyncDisposable
{
    private readonly QueueConnection _connection;
    private readonly ILogger _logger;
    private readonly string _subject;
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);
    private readonly CancellationTokenSource _closed = new();
    private INatsSub<string>? _questions;
    private Task _loop = Task.CompletedTask;

    private FlowPublisher(QueueConnection connection, int partition)
    {
        _connection = connection;
        _logger = connection.Options.LoggerFactory.CreateLogger<FlowPublisher>();
        _subject = Subjects.Flow(partition);
    }

    /// <summary>Starts to answer <c>watermarks.{partition}</c>.</summary>
    /// <param name="connection">Of the worker's role.</param>
    /// <param name="partition">A partition that this process owns; only its owner may answer.</param>
    /// <param name="answer">Adds the records of all lanes of the agent that are not closed and returns true; false leaves the question
    /// without an answer, because an answer without records would say that the agent was never seen. Called on a thread of the pool, one
    /// call at a time.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<FlowPublisher> OpenAsync(
        QueueConnection connection, int partition, Func<string, List<FlowRecord>, bool> answer, CancellationToken cancel = default)
    {
        var flow = new FlowPublisher(connection, partition);
        flow._questions = await connection.Nats.SubscribeCoreAsync(
            Subjects.Watermarks(partition),
            serializer: NatsUtf8PrimitivesSerializer<string>.Default,
            cancellationToken: cancel).ConfigureAwait(false);
        flow._loop = flow.AnswerAsync(answer);
        return flow;
    }

    /// <summary>Tells the partition's gateways. One call at a time.</summary>
    public async ValueTask TellAsync(IReadOnlyList<FlowRecord> records, CancellationToken cancel = default)
    {
        _buffer.ResetWrittenCount();
        for (var index = 0; index < records.Count; index++)
        {
            FlowCodec.Write(_buffer, records[index]);
            if (_buffer.WrittenCount + FlowCodec.MaxRecord <= FlowCodec.MaxMessage && index < records.Count - 1)
                continue;
            await _connection.Nats.PublishAsync(
                _subject,
                _buffer.WrittenMemory,
                serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
                cancellationToken: cancel).ConfigureAwait(false);
            _buffer.ResetWrittenCount();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        if (_questions is not null)
            await _questions.DisposeAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AnswerAsync(Func<string, List<FlowRecord>, bool> answer)
    {
        var records = new List<FlowRecord>();
        var buffer = new ArrayBufferWriter<byte>(1024);
        await foreach (var question in _questions!.Msgs.ReadAllAsync(_closed.Token).ConfigureAwait(false))
        {
            var agents = question.Data?.Split(FlowCodec.AgentSeparator) ?? [];
            if (question.ReplyTo is null || agents.Length is 0 or > FlowQuestions.MaxAgents || !agents.All(static agent => Subjects.IsAgentId(agent)))
            {
                QueueMetrics.Shared.Error("flow");
                continue;
            }

            try
            {
                buffer.ResetWrittenCount();
                var answered = 0;
                while (answered < agents.Length)
                {
                    records.Clear();
                    if (!answer(agents[answered], records))
                        break;
                    // The rest is asked for again.
                    if (answered > 0 && buffer.WrittenCount + (records.Count * FlowCodec.MaxRecord) + 1 > FlowCodec.MaxMessage)
                        break;
                    foreach (var record in records)
                    {
                        if (buffer.WrittenCount + FlowCodec.MaxRecord < FlowCodec.MaxMessage)
                            FlowCodec.Write(buffer, record);
                    }

                    answered++;
                }

                if (answered == 0)
                    continue;
                if (agents.Length > 1)
                    FlowCodec.EndAnswer(buffer, answered);
                await question.ReplyAsync(
                    buffer.WrittenMemory,
                    serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
                    cancellationToken: _closed.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (!_closed.IsCancellationRequested)
            {
                // Most likely the connection is away. Whatever it is, the asker's patience ends and it asks again.
                QueueMetrics.Shared.Error("flow_answer");
                LogAnswer(_subject, error.Message);
            }
        }
    }

    [LoggerMessage(4112, LogLevel.Warning, "{Subject}: a question was not answered: {Reason}")]
    private partial void LogAnswer(string subject, string reason);
}
