namespace Streams.Queue;

/// <summary>A gateway's questions to a service behind it, <c>service.*.*</c>. Nothing is kept: who gets no answer asks again.</summary>
public sealed class ServiceCaller : IAsyncDisposable
{
    private readonly AnswerInbox _inbox;

    private ServiceCaller(AnswerInbox inbox) => _inbox = inbox;

    public static async Task<ServiceCaller> OpenAsync(QueueConnection connection, CancellationToken cancel = default) =>
        new(await AnswerInbox.OpenAsync(connection, cancel).ConfigureAwait(false));

    /// <summary>The answer, or null: nobody listens, or there was none in time.</summary>
    public Task<byte[]?> AskAsync(string subject, ReadOnlyMemory<byte> question, TimeSpan patience, CancellationToken cancel = default) =>
        _inbox.AskAsync(subject, question, patience, cancel);

    public ValueTask DisposeAsync() => _inbox.DisposeAsync();
}
