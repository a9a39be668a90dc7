using System.Collections.Concurrent;
using System.Globalization;
using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>
/// Questions to another role and their answers, below <c>_ANSWER.ROLE</c>: not the client's own inbox, because who answers may publish
/// here and nowhere else of ours.
/// </summary>
internal sealed class AnswerInbox : IAsyncDisposable
{
    private readonly QueueConnection _connection;
    private readonly CancellationTokenSource _closed = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource<byte[]?>> _questions = new();
    private readonly string _prefix;
    private INatsSub<NatsMemoryOwner<byte>>? _answers;
    private Task _loop = Task.CompletedTask;
    private long _asked;

    private AnswerInbox(QueueConnection connection)
    {
        _connection = connection;
        _prefix = string.Create(CultureInfo.InvariantCulture, $"_ANSWER.{connection.RoleName}.{Guid.NewGuid():N}");
    }

    public static async Task<AnswerInbox> OpenAsync(QueueConnection connection, CancellationToken cancel)
    {
        var inbox = new AnswerInbox(connection);
        inbox._answers = await connection.Nats.SubscribeCoreAsync(
            inbox._prefix + ".*",
            serializer: NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
            cancellationToken: cancel).ConfigureAwait(false);
        inbox._loop = inbox.TakeAsync();
        return inbox;
    }

    /// <summary>The answer, or null: nobody listens to the subject, or there was no answer in time.</summary>
    public async Task<byte[]?> AskAsync(string subject, ReadOnlyMemory<byte> question, TimeSpan patience, CancellationToken cancel)
    {
        var number = Interlocked.Increment(ref _asked);
        var answer = new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _questions[number] = answer;
        try
        {
            await _connection.Nats.PublishAsync(
                subject,
                question,
                replyTo: string.Create(CultureInfo.InvariantCulture, $"{_prefix}.{number}"),
                serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
                cancellationToken: cancel).ConfigureAwait(false);
            return await answer.Task.WaitAsync(patience, cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            return null;
        }
        finally
        {
            _questions.TryRemove(number, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        if (_answers is not null)
            await _answers.DisposeAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task TakeAsync()
    {
        await foreach (var message in _answers!.Msgs.ReadAllAsync(_closed.Token).ConfigureAwait(false))
        {
            using var data = message.Data;
            var number = message.Subject.AsSpan(_prefix.Length + 1);
            if (long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var question)
                && _questions.TryRemove(question, out var answer))
                answer.TrySetResult(message.HasNoResponders ? null : data.Span.ToArray());
        }
    }
}
