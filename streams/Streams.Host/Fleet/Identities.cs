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
            return new Identities(connection, await IdentityStore.OpenAsync(connection, stop), await SessionStore.OpenAsync(connection, stop));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets an agent in under this Ed25519 public key (32 bytes).</summary>
    public Task PutAsync(string agentId, byte[] publicKey, string host, CancellationToken stop) =>
        _identities.PutAsync(agentId, new IdentityRecord(Base64Url.EncodeToString(publicKey), host, DateTimeOffset.UtcNow), stop);

    /// <summary>Every agent that may connect, with its newest session if it ever had one.</summary>
    public async Task<IReadOnlyList<(string AgentId, IdentityRecord Identity, SessionRecord? Session)>> ListAsync(CancellationToken stop)
    {
        var identities = await SnapshotAsync(_identities.WatchAsync, stop);
        var sessions = await SnapshotAsync(_sessions.WatchAsync, stop);
        return [.. identities.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value, sessions.GetValueOrDefault(entry.Key)))];
    }

    /// <summary>The public key under which the agent is let in, base64url; none when it is not.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync(string agentId, CancellationToken stop) =>
        await _identities.GetAsync(agentId, stop) is { } identity ? [identity.PublicKey] : [];

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

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
