using System.Buffers.Text;
using Streams.Local;
using Streams.Queue;

namespace Streams.Host.Fleet;

/// <summary>The operator's view of the agents: who may connect, and who is connected.</summary>
internal sealed class Identities : IAsyncDisposable
{
    private readonly QueueConnection _connection;
    private readonly IdentityStore _identities;
    private readonly SessionStore _sessions;

    private Identities(QueueConnection connection, IdentityStore identities, SessionStore sessions)
    {
        _connection = connection;
        _identities = identities;
        _sessions = sessions;
    }

    public static async Task<Identities> OpenAsync(Endpoints endpoints, CancellationToken stop)
    {
        var connection = await QueueConnection.OpenAsync(
            new QueueOptions
            {
                Url = new Uri(endpoints.Nats),
                Role = QueueRole.Operator,
                Seed = SecretFile.ReadLine(endpoints.NatsSeedFiles["operator"]),
                Name = "streams-operator",
            },
            stop);
        try
        {
            return new Identities(connection, await IdentityStore.OpenAsync(connection, stop), await SessionStore.OpenAsync(connection, stop))
            {
                Tokens = await EnrolmentStore.OpenAsync(connection, stop),
                Statements = await RevocationStore.OpenAsync(connection, stop),
            };
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Enrolment tokens, and what the fleet's roots say.</summary>
    public EnrolmentStore Tokens { get; private init; } = null!;

    public RevocationStore Statements { get; private init; } = null!;

    /// <summary>Who acts, in rows.</summary>
    public static string Actor => Environment.UserName;

    /// <summary>
    /// Lets this machine's agent in where nothing is known of it; its key is read then. Of an identity that is there only the host may
    /// change: what was rotated, revoked or quarantined since stays so, as this is asked again at every start.
    /// </summary>
    /// <param name="agentId">The agent.</param>
    /// <param name="publicKey">Reads its Ed25519 public key, 32 bytes.</param>
    /// <param name="host">The host's name.</param>
    /// <param name="stop">Gives up.</param>
    public Task PutAsync(string agentId, Func<byte[]> publicKey, string host, CancellationToken stop) => _identities.ChangeAsync(
        agentId,
        last => last is null ? New(publicKey(), host)
            : last.Host == host ? null
            : last with { Host = host, Action = "moved", Actor = Actor, Source = "" },
        stop);

    /// <summary>Lets an agent in under this Ed25519 public key (32 bytes), in place of whatever is known of it.</summary>
    public Task ReplaceAsync(string agentId, byte[] publicKey, string host, CancellationToken stop) =>
        _identities.PutAsync(agentId, New(publicKey, host), stop);

    /// <summary>Changes an agent's state; false when there is no such agent or it is in that state.</summary>
    public async Task<bool> SetStateAsync(string agentId, string state, string action, CancellationToken stop)
    {
        var (_, changed) = await _identities.ChangeAsync(
            agentId,
            last => last is null || last.State == state ? null : last with
            {
                State = state,
                RevokedAt = state == IdentityRecord.Revoked ? DateTimeOffset.UtcNow : null,
                Action = action,
                Actor = Actor,
                Source = "",
            },
            stop);
        return changed;
    }

    public Task<IdentityRecord?> GetAsync(string agentId, CancellationToken stop) => _identities.GetAsync(agentId, stop);

    /// <summary>All tokens by id.</summary>
    public Task<Dictionary<string, EnrolmentRecord>> TokensAsync(CancellationToken stop) => SnapshotAsync(Tokens.WatchAsync, stop);

    /// <summary>Every agent that may connect, with its newest session if it ever had one.</summary>
    public async Task<IReadOnlyList<(string AgentId, IdentityRecord Identity, SessionRecord? Session)>> ListAsync(CancellationToken stop)
    {
        var identities = await SnapshotAsync(_identities.WatchAsync, stop);
        var sessions = await SnapshotAsync(_sessions.WatchAsync, stop);
        return [.. identities.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value, sessions.GetValueOrDefault(entry.Key)))];
    }

    /// <summary>The agent's public key, base64url, and the one before while it is being changed; none when the agent is not known.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync(string agentId, CancellationToken stop) =>
        await _identities.GetAsync(agentId, stop) is not { } identity ? []
        : identity.PreviousKey.Length > 0 ? [identity.PublicKey, identity.PreviousKey] : [identity.PublicKey];

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static IdentityRecord New(byte[] publicKey, string host) =>
        new(Base64Url.EncodeToString(publicKey), host, DateTimeOffset.UtcNow, Actor: Actor);

    private static async Task<Dictionary<string, T>> SnapshotAsync<T>(
        Func<Action?, CancellationToken, IAsyncEnumerable<Change<T>>> watch, CancellationToken stop)
        where T : class
    {
        var values = new Dictionary<string, T>();
        using var current = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            await foreach (var change in watch(current.Cancel, current.Token))
            {
                if (change.Value is { } value)
                {
                    values[change.Key] = value;
                }
                else
                {
                    values.Remove(change.Key);
                }
            }
        }
        catch (OperationCanceledException) when (current.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            // Everything that was there has been seen.
        }
        return values;
    }
}
