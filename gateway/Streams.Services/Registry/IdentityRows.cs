using System.Globalization;
using Streams.Queue;
using Streams.Storage;

namespace Streams.Services.Registry;

/// <summary>Reads <c>agent_identity</c>: the last word on every agent, as it was in the bucket.</summary>
internal sealed class IdentityRows(StorageClient storage)
{
    // Only what servers of this role said: an agent's own rows have its id here, whatever they claim.
    private const string Sql = """
        SELECT agent, action, public_key, agent_host, serial, token_id, actor, toUnixTimestamp64Milli(any(time)) AS at
        FROM agent_identity
        WHERE startsWith(agent_id, '_services-')
        GROUP BY agent, action, public_key, agent_host, serial, token_id, actor
        ORDER BY agent, serial, at
        """;

    /// <summary>The identity of every agent that ever had one; a change that was told twice counts once.</summary>
    public async Task<Dictionary<string, IdentityRecord>> ReadAsync(CancellationToken cancel)
    {
        var identities = new Dictionary<string, IdentityRecord>(StringComparer.Ordinal);
        var rows = await storage.QueryAsync(
            Sql,
            static row => (
                Agent: row.GetString(0), Action: row.GetString(1), PublicKey: row.GetString(2), Host: row.GetString(3),
                Serial: Convert.ToUInt64(row.GetValue(4), CultureInfo.InvariantCulture), TokenId: row.GetString(5), Actor: row.GetString(6),
                At: Convert.ToInt64(row.GetValue(7), CultureInfo.InvariantCulture)),
            cancel).ConfigureAwait(false);
        foreach (var row in rows)
        {
            var change = new IdentityRecord(
                row.PublicKey, row.Host, DateTimeOffset.FromUnixTimeMilliseconds(row.At), Serial: row.Serial, Action: row.Action,
                TokenId: row.TokenId, Actor: row.Actor);
            identities[row.Agent] = Apply(identities.GetValueOrDefault(row.Agent), change);
        }

        return identities;
    }

    /// <summary>What a change makes of the identity before it.</summary>
    internal static IdentityRecord Apply(IdentityRecord? last, IdentityRecord change) => change.Action switch
    {
        "revoked" => change with { State = IdentityRecord.Revoked, CreatedAt = last?.CreatedAt ?? change.CreatedAt, RevokedAt = change.CreatedAt },
        "quarantined" => change with { State = IdentityRecord.Quarantined, CreatedAt = last?.CreatedAt ?? change.CreatedAt },
        "released" => change with { CreatedAt = last?.CreatedAt ?? change.CreatedAt },
        // The second row of a rotation names the same key: the old one is over.
        "rotated" when last is not null => change with
        {
            State = last.State,
            CreatedAt = last.CreatedAt,
            PreviousKey = last.PublicKey == change.PublicKey ? "" : last.PublicKey,
        },
        "moved" when last is not null => last with { Host = change.Host, Serial = change.Serial, Action = change.Action, Actor = change.Actor },
        "restored" when last is not null => last with { Serial = change.Serial, Action = change.Action, Actor = change.Actor },
        _ => change,
    };
}
