using Microsoft.Extensions.Logging;
using Streams.Control.Operators;
using Streams.Queue;
using Streams.Services.Audit;

namespace Streams.Services.Operators;

/// <summary>
/// The operators' tokens: made, looked up in memory, revoked within a second everywhere, because every process watches the bucket. Secrets
/// are stored as hashes and shown once.
/// </summary>
public sealed class OperatorTokens : IAsyncDisposable
{
    public const int MaxTokens = 1000;
    public const int MaxNameLength = 64;
    public static readonly TimeSpan LongestLife = TimeSpan.FromDays(3650);

    private static readonly TimeSpan KeepInterval = TimeSpan.FromSeconds(2);

    /// <summary>Compared with where there is no token, so that the time of an answer does not tell which ids exist.</summary>
    private static readonly string NoHash = OperatorToken.NewRandom().Hash();

    private readonly OperatorStore _store;
    private readonly BucketCache<OperatorRecord> _cache;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closed = new();
    private Task _keeping = Task.CompletedTask;

    private OperatorTokens(OperatorStore store, BucketCache<OperatorRecord> cache, TimeProvider time, ILogger logger)
    {
        _logger = logger;
        _store = store;
        _cache = cache;
        _time = time;
    }

    /// <param name="queue">Of the services' role; not owned.</param>
    /// <exception cref="QueueException">The queue cannot be used.</exception>
    public static async Task<OperatorTokens> OpenAsync(
        QueueConnection queue, ILogger<OperatorTokens> logger, TimeProvider? time = null, CancellationToken cancel = default)
    {
        var store = await OperatorStore.OpenAsync(queue, cancel).ConfigureAwait(false);
        return new OperatorTokens(
            store, await BucketCache<OperatorRecord>.OpenAsync(store.WatchAsync, cancel).ConfigureAwait(false), time ?? TimeProvider.System, logger);
    }

    /// <summary>Whose token it is; asks nobody.</summary>
    public TokenVerdict Check(string? text, out OperatorIdentity? identity)
    {
        identity = null;
        if (string.IsNullOrEmpty(text))
        {
            return TokenVerdict.Missing;
        }

        if (!OperatorToken.TryParse(text, out var token))
        {
            return TokenVerdict.Malformed;
        }

        var known = _cache.TryGet(token.Id, out var record);
        var matches = token.Matches(known ? record!.SecretHash : NoHash);
        if (!known)
        {
            return TokenVerdict.Unknown;
        }

        if (!matches || !Enum.TryParse<OperatorRole>(record!.Role, ignoreCase: true, out var role))
        {
            return TokenVerdict.WrongSecret;
        }

        // Who holds the secret is named also when it is not good any more: the audit wants to know.
        identity = new OperatorIdentity(token.Id, record.Name, role);
        return record.Revoked ? TokenVerdict.Revoked : _time.GetUtcNow() >= record.ExpiresAt ? TokenVerdict.Expired : TokenVerdict.Valid;
    }

    /// <summary>Makes a token. Its secret is in the answer and nowhere else.</summary>
    /// <exception cref="ArgumentException">A bound is broken; the message is one line that names it.</exception>
    public async Task<(OperatorToken Token, OperatorRecord Record)> CreateAsync(
        string name, OperatorRole role, TimeSpan life, CancellationToken cancel = default)
    {
        if (name.Length is 0 or > MaxNameLength || name.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw new ArgumentException($"name: 1 to {MaxNameLength} printable characters of ASCII");
        }

        if (life <= TimeSpan.Zero || life > LongestLife)
        {
            throw new ArgumentException($"expires_in_seconds: 1 to {LongestLife.TotalSeconds:0}");
        }

        if (_cache.All.Count() >= MaxTokens)
        {
            throw new ArgumentException($"name: there are {MaxTokens} tokens, which is the most");
        }

        var token = OperatorToken.NewRandom();
        var now = _time.GetUtcNow();
        var record = new OperatorRecord(token.Hash(), name, OperatorIdentity.NameOf(role), now + life, now);
        if (!await _store.TryWriteAsync(token.Id, record, 0, cancel).ConfigureAwait(false))
        {
            throw new QueueException("A token of this id is there already; try again.");
        }

        return (token, record);
    }

    /// <summary>
    /// Sees to it that a token which is kept in a file is good, an admin's: made at the first start, and made again when the queue lost it. One
    /// that was revoked stays revoked.
    /// </summary>
    public void Keep(OperatorToken token) => _keeping = Task.Run(async () =>
    {
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                if (!_cache.TryGet(token.Id, out _))
                {
                    await EnsureAsync(token).ConfigureAwait(false);
                }
            }
            catch (Exception failure) when (!_closed.IsCancellationRequested)
            {
                _logger.TokenNotKept(failure.Message);
            }

            await Task.Delay(KeepInterval, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    });

    /// <summary>False: there is no such token.</summary>
    public async Task<bool> RevokeAsync(string tokenId, CancellationToken cancel = default)
    {
        while (true)
        {
            if (await _store.GetAsync(tokenId, cancel).ConfigureAwait(false) is not { } entry)
            {
                return false;
            }

            if (entry.Value.Revoked || await _store.TryWriteAsync(tokenId, entry.Value with { Revoked = true }, entry.Revision, cancel).ConfigureAwait(false))
            {
                return true;
            }
        }
    }

    /// <summary>All tokens, without their hashes' use to anybody.</summary>
    public IReadOnlyList<KeyValuePair<string, OperatorRecord>> List() => [.. _cache.All.OrderBy(entry => entry.Value.CreatedAt)];

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        await _keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _cache.DisposeAsync().ConfigureAwait(false);
    }

    private async Task EnsureAsync(OperatorToken token)
    {
        if (await _store.GetAsync(token.Id, _closed.Token).ConfigureAwait(false) is null)
        {
            var now = _time.GetUtcNow();
            var record = new OperatorRecord(token.Hash(), "local", OperatorIdentity.NameOf(OperatorRole.Admin), now + LongestLife, now);
            await _store.TryWriteAsync(token.Id, record, 0, _closed.Token).ConfigureAwait(false);
        }
    }
}
