using Microsoft.Extensions.Logging;
using Streams.Control.Identity;
using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Storage;

namespace Streams.Services.Registry;

/// <summary>
/// Who is let in: answers the gateways' requests for enrolment and new keys, keeps what they saw of copies, and keeps identities as rows
/// and rows as identities. It writes the bucket; a gateway may only read it, and enrolments and rotations
/// are signed on the host, so that one that was captured lets nobody in.
/// </summary>
public sealed class RegistryService : IAsyncDisposable
{
    private readonly List<ServiceResponder> _responders = [];
    private readonly TokenBook _tokens;
    private readonly KeyBook _keys;
    private readonly IdentityJournal _journal;
    private readonly RowProducer _producer;
    private readonly ILogger _logger;

    private RegistryService(TokenBook tokens, KeyBook keys, IdentityJournal journal, RowProducer producer, ILogger logger)
    {
        _tokens = tokens;
        _keys = keys;
        _journal = journal;
        _producer = producer;
        _logger = logger;
    }

    /// <summary>Completes when identities and rows were compared for the first time, which needs ClickHouse; requests are answered before.</summary>
    public Task Current => _journal.Current;

    /// <param name="queue">Of the services' role; not owned.</param>
    /// <param name="storage">Not owned.</param>
    /// <param name="producer">Of this process; not owned.</param>
    /// <param name="revocationsFile">The signed list of revoked certificates, put back into a queue that lost it; null: there is none.</param>
    /// <param name="successionFile">The signed statement about the next fleet root, likewise.</param>
    /// <exception cref="QueueException">The queue cannot be used.</exception>
    public static async Task<RegistryService> StartAsync(
        QueueConnection queue, StorageClient storage, RowProducer producer, string? revocationsFile = null, string? successionFile = null,
        TimeProvider? time = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        ArgumentNullException.ThrowIfNull(producer);
        var logger = queue.Options.LoggerFactory.CreateLogger("Streams.Services.Registry");
        var identities = await IdentityStore.OpenAsync(queue, cancel).ConfigureAwait(false);
        var tokens = await EnrolmentStore.OpenAsync(queue, cancel).ConfigureAwait(false);
        var marks = await RevocationStore.OpenAsync(queue, cancel).ConfigureAwait(false);
        var journal = new IdentityJournal(
            identities, marks, new StatementFiles(revocationsFile, successionFile, marks, logger), new IdentityRows(storage), producer, producer.AgentId, logger);
        var service = new RegistryService(
            new TokenBook(tokens, identities, time ?? TimeProvider.System),
            new KeyBook(identities, await SessionStore.OpenAsync(queue, cancel).ConfigureAwait(false), new QuarantineLimit(time ?? TimeProvider.System)),
            journal, producer, logger);
        try
        {
            journal.Start();
            await service.ListenAsync(queue, "enroll", service.EnrolAsync, cancel).ConfigureAwait(false);
            await service.ListenAsync(queue, "rotate", service.RotateAsync, cancel).ConfigureAwait(false);
            await service.ListenAsync(queue, "notice", service.NoticeAsync, cancel).ConfigureAwait(false);
            return service;
        }
        catch
        {
            await service.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var responder in _responders)
        {
            await responder.DisposeAsync().ConfigureAwait(false);
        }

        await _journal.DisposeAsync().ConfigureAwait(false);
        _tokens.Dispose();
    }

    private async Task ListenAsync(
        QueueConnection queue, string action, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]?>> answer, CancellationToken cancel) =>
        _responders.Add(await ServiceResponder.OpenAsync(queue, Subjects.Registry(action), answer, cancel).ConfigureAwait(false));

    private async Task<byte[]?> EnrolAsync(ReadOnlyMemory<byte> question, CancellationToken cancel)
    {
        if (!IdentityJson.TryRead(question.Span, IdentityJson.Default.RegistryCall, out var call))
        {
            return IdentityJson.Write(EnrolAnswer.Refuse(RegistryRefusal.Malformed), IdentityJson.Default.EnrolAnswer);
        }

        EnrolAnswer answer;
        try
        {
            answer = await _tokens.EnrolAsync(call, cancel).ConfigureAwait(false);
        }
        catch (QueueException)
        {
            answer = EnrolAnswer.Refuse(RegistryRefusal.Unavailable);
        }

        var token = EnrolmentToken.IsId(call.Enrol?.Token) ? call.Enrol!.Token : "";
        if (answer.Refused == RegistryRefusal.None)
        {
            _logger.Enrolled(answer.AgentId, token, call.Source);
        }
        else
        {
            _logger.EnrolmentRefused(token, call.Source, answer.Refused);
            Alert(answer.Refused, token, call);
        }

        return IdentityJson.Write(answer, IdentityJson.Default.EnrolAnswer);
    }

    private async Task<byte[]?> RotateAsync(ReadOnlyMemory<byte> question, CancellationToken cancel)
    {
        if (!IdentityJson.TryRead(question.Span, IdentityJson.Default.RegistryCall, out var call))
        {
            return IdentityJson.Write(RotateAnswer.Refuse(RegistryRefusal.Malformed), IdentityJson.Default.RotateAnswer);
        }

        RotateAnswer answer;
        try
        {
            answer = await _keys.RotateAsync(call, cancel).ConfigureAwait(false);
        }
        catch (QueueException)
        {
            answer = RotateAnswer.Refuse(RegistryRefusal.Unavailable);
        }

        if (answer.Refused == RegistryRefusal.None)
        {
            _logger.KeyRotated(call.AgentId);
        }
        else
        {
            _logger.RotationRefused(call.AgentId, call.Source, answer.Refused);
        }

        return IdentityJson.Write(answer, IdentityJson.Default.RotateAnswer);
    }

    // No answer when it could not be kept: the gateway says it again.
    private async Task<byte[]?> NoticeAsync(ReadOnlyMemory<byte> question, CancellationToken cancel)
    {
        if (!IdentityJson.TryRead(question.Span, IdentityJson.Default.RegistryNotice, out var notice))
        {
            return [0];
        }

        switch (await _keys.NoticeAsync(notice, cancel).ConfigureAwait(false))
        {
            case NoticeOutcome.Quarantined:
                _logger.Quarantined(notice.AgentId, notice.Detail, notice.Source);
                _producer.TryAlert("clone", notice.AgentId, $"{notice.Detail}, from {notice.Source} at {notice.Gateway}: in quarantine until released");
                break;
            case NoticeOutcome.TooMany:
                _logger.NotQuarantined(notice.AgentId, notice.Detail, notice.Gateway, QuarantineLimit.Most);
                _producer.TryAlert("clone", notice.AgentId, $"{notice.Detail}, from {notice.Source} at {notice.Gateway}: not in quarantine, there are {QuarantineLimit.Most} within an hour");
                break;
            case NoticeOutcome.NotItsGateway:
                _logger.NoticeRefused(notice.AgentId, notice.Gateway);
                break;
        }

        return [1];
    }

    /// <summary>Somebody has a secret that is over, or has it elsewhere than it should be: a token that went round.</summary>
    private void Alert(RegistryRefusal refusal, string token, RegistryCall call)
    {
        if (refusal is RegistryRefusal.TokenUsed or RegistryRefusal.TokenRevoked or RegistryRefusal.WrongNetwork or RegistryRefusal.AgentExists)
        {
            _producer.TryAlert("token_misuse", token, $"{refusal}: from {call.Source} at {call.Gateway}");
        }
    }
}
