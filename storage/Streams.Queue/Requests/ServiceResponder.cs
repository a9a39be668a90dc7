using Microsoft.Extensions.Logging;
using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>
/// Answers the gateways' questions on one subject. Of several processes one gets each question. At most <see cref="Parallel"/> are worked
/// on at once and <see cref="Waiting"/> wait; more are dropped by the client, and their askers' patience ends.
/// </summary>
public sealed partial class ServiceResponder : IAsyncDisposable
{
    private const int Parallel = 32;

    /// <summary>A few megabytes at the documents' bound.</summary>
    private const int Waiting = 1024;

    private readonly Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]?>> _answer;
    private readonly string _subject;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closed = new();
    private INatsSub<byte[]>? _questions;
    private Task _loops = Task.CompletedTask;

    private ServiceResponder(string subject, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]?>> answer, ILogger logger)
    {
        _subject = subject;
        _answer = answer;
        _logger = logger;
    }

    /// <param name="connection">Of the services' role.</param>
    /// <param name="subject">See <see cref="Subjects.Registry"/>.</param>
    /// <param name="answer">Gives the answer, null for none. Called by several at once; what it throws is logged, and the question has no
    /// answer.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<ServiceResponder> OpenAsync(
        QueueConnection connection, string subject, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]?>> answer,
        CancellationToken cancel = default)
    {
        var responder = new ServiceResponder(subject, answer, connection.Options.LoggerFactory.CreateLogger<ServiceResponder>());
        responder._questions = await connection.Nats.SubscribeCoreAsync(
            subject,
            queueGroup: "services",
            serializer: NatsRawSerializer<byte[]>.Default,
            opts: new NatsSubOpts { ChannelOpts = new NatsSubChannelOpts { Capacity = Waiting } },
            cancellationToken: cancel).ConfigureAwait(false);
        responder._loops = Task.WhenAll(Enumerable.Range(0, Parallel).Select(_ => Task.Run(responder.AnswerAsync)));
        return responder;
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        if (_questions is not null)
            await _questions.DisposeAsync().ConfigureAwait(false);
        await _loops.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AnswerAsync()
    {
        await foreach (var question in _questions!.Msgs.ReadAllAsync(_closed.Token).ConfigureAwait(false))
        {
            try
            {
                if (await _answer(question.Data ?? [], _closed.Token).ConfigureAwait(false) is { } answer && question.ReplyTo is not null)
                {
                    await question.ReplyAsync(
                        answer, serializer: NatsRawSerializer<byte[]>.Default, cancellationToken: _closed.Token).ConfigureAwait(false);
                }
            }
            catch (Exception error) when (!_closed.IsCancellationRequested)
            {
                QueueMetrics.Shared.Error("service_answer");
                LogAnswer(_subject, error.Message);
            }
        }
    }

    [LoggerMessage(4120, LogLevel.Warning, "{Subject}: a question was not answered: {Reason}")]
    private partial void LogAnswer(string subject, string reason);
}
