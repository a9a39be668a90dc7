using System.Data.Common;
using Microsoft.Extensions.Logging;
using Streams.Queue;
using Streams.Queue.Producing;

namespace Streams.Services.Registry;

/// <summary>
/// Keeps the identities of the bucket as rows, whoever changed them: it watches the bucket and tells every serial that no row has yet. And
/// the other way round: a bucket that was made anew gets from the rows what it lost, revocations included, once in its life. In between the
/// rows cannot change who is let in: whoever can write tables must not let in agents by that.
/// </summary>
internal sealed class IdentityJournal : IAsyncDisposable
{
    /// <summary>Key in the bucket of revocations: which identities' bucket has its rows.</summary>
    internal const string Marker = "restored";

    private readonly IdentityStore _identities;
    private readonly RevocationStore _marks;
    private readonly StatementFiles _statements;
    private readonly IdentityRows _rows;
    private readonly RowProducer _producer;
    private readonly string _name;
    private readonly ILogger _logger;
    private readonly TimeSpan _pause;
    private readonly CancellationTokenSource _closed = new();
    private readonly Dictionary<string, ulong> _told = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _current = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    public IdentityJournal(
        IdentityStore identities, RevocationStore marks, StatementFiles statements, IdentityRows rows, RowProducer producer, string name, ILogger logger,
        TimeSpan? pause = null)
    {
        _identities = identities;
        _marks = marks;
        _statements = statements;
        _rows = rows;
        _producer = producer;
        _name = name;
        _logger = logger;
        _pause = pause ?? TimeSpan.FromSeconds(1);
    }

    /// <summary>Completes when the bucket has all that the rows have, for the first time.</summary>
    public Task Current => _current.Task;

    public void Start() => _loop = Task.Run(KeepAsync);

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task KeepAsync()
    {
        string? said = null;
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(_closed.Token).ConfigureAwait(false);
                said = null;
            }
            catch (Exception error) when (!_closed.IsCancellationRequested
                && error is QueueException or DbException or TimeoutException or HttpRequestException or IOException or OperationCanceledException)
            {
                if (said != error.Message)
                {
                    _logger.JournalFailed(error.Message);
                    said = error.Message;
                }
            }

            await Task.Delay(_pause, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Until the bucket is another one, or something fails: then everything is looked at again.</summary>
    private async Task FollowAsync(CancellationToken cancel)
    {
        // One that is made anew while this looks has lost what is put back here: the watch is of this one.
        var created = await _identities.CreatedAsync(cancel).ConfigureAwait(false);
        // First: it needs no rows.
        await _statements.PutBackAsync(cancel).ConfigureAwait(false);
        var known = await _rows.ReadAsync(cancel).ConfigureAwait(false);
        foreach (var (agent, identity) in known)
        {
            _told[agent] = Math.Max(_told.GetValueOrDefault(agent), identity.Serial);
        }

        await RestoreAsync(known, (ulong)created.ToUnixTimeMilliseconds(), cancel).ConfigureAwait(false);
        _current.TrySetResult();
        await foreach (var change in _identities.WatchAsync(created, cancel).ConfigureAwait(false))
        {
            if (change.Value is not { } identity || (_told.TryGetValue(change.Key, out var serial) && serial >= identity.Serial))
            {
                continue;
            }

            // Full: it empties in a second, and the watch has the rest.
            while (!_producer.TryTell(change.Key, identity))
            {
                await Task.Delay(_pause, cancel).ConfigureAwait(false);
            }

            _told[change.Key] = identity.Serial;
        }
    }

    private async Task RestoreAsync(Dictionary<string, IdentityRecord> known, ulong created, CancellationToken cancel)
    {
        if (await _marks.GetAsync(Marker, cancel).ConfigureAwait(false) is { } mark && mark.Version >= created)
        {
            return;
        }

        var count = 0;
        foreach (var (agent, row) in known)
        {
            // Put meanwhile, as `streams up` does with its own agent: what the rows say of it, a revocation for one, is newer all the same.
            var (_, changed) = await _identities.ChangeAsync(
                agent, last => last is null || last.Serial <= row.Serial ? row with { Serial = row.Serial + 1, Action = "restored", Actor = _name } : null,
                cancel).ConfigureAwait(false);
            count += changed ? 1 : 0;
        }

        await _marks.TryPutAsync(Marker, new RevocationRecord("", created), cancel).ConfigureAwait(false);
        if (count > 0)
        {
            _logger.Restored(count);
        }
    }
}
