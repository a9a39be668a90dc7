using System.Globalization;
using System.Runtime.CompilerServices;
using ClickHouse.Driver.ADO.Readers;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// Computes the digests of stored batches again and compares them with what the agent signed. Reads ClickHouse only, lane by lane and a
/// thousand batches at a time.
/// </summary>
public sealed class ProofVerifier(StorageClient client, ProofSignatureCheck check)
{
    private const uint BatchesAtATime = 1024;

    /// <summary>Within it the digests of what was received are still on their way.</summary>
    private static readonly TimeSpan Young = TimeSpan.FromMinutes(1);

    private static readonly EventClass[] Classes = [.. Catalogue.Classes.Where(static c => c.Producer != EventProducer.Server)];

    /// <summary>Every lane of the agent that has rows or ledger rows received in the time, in order.</summary>
    public async IAsyncEnumerable<LaneReport> VerifyAsync(
        string agentId, DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var hash = new RuntimeSha256();
        using var reader = new EvidenceReader(client, agentId, await RetentionAsync(cancellation).ConfigureAwait(false), hash);
        foreach (var lane in await LanesAsync(agentId, Micros(from), Micros(to), cancellation).ConfigureAwait(false))
        {
            var report = new LaneReport
            {
                Epoch = lane.Epoch.ToString("x16", CultureInfo.InvariantCulture),
                Lane = lane.Lane,
                FirstBatch = lane.First,
                LastBatch = lane.Last,
            };
            var judge = new LaneJudge(lane.Epoch, lane.Lane, check, hash);
            for (var first = lane.First; ; first += BatchesAtATime)
            {
                var last = lane.Last - first < BatchesAtATime ? lane.Last : first + BatchesAtATime - 1;
                var reach = await reader.ReachAsync(lane.Epoch, lane.Lane, first, last, cancellation).ConfigureAwait(false);
                var evidence = await reader.ReadAsync(
                    lane.Epoch, lane.Lane, reach.First, reach.Last, lane.Tables, cancellation).ConfigureAwait(false);
                judge.Judge(evidence, first, last, report);
                if (last == lane.Last)
                {
                    break;
                }
            }

            report.SettleTail(lane.ReceivedAt > Micros(DateTimeOffset.UtcNow - Young));
            report.Json = report.NoProof > 0 && await IsJsonAsync(agentId, lane.ReceivedAt, cancellation).ConfigureAwait(false);
            yield return report;
        }
    }

    /// <summary>Public keys that the agent had, as its identity's rows hold them: as good as who may write rows, the services and ClickHouse's writer.</summary>
    public Task<List<string>> FormerKeysAsync(string agentId, CancellationToken cancellation = default) => client.QueryAsync(
        $"SELECT DISTINCT public_key FROM {ServerClasses.AgentIdentity.Name} WHERE startsWith(agent_id, '_services-') AND agent = {Sql.Literal(agentId)} AND public_key != ''",
        static r => r.GetString(0),
        cancellation);

    private async Task<List<LaneOfTime>> LanesAsync(string agentId, long from, long to, CancellationToken cancellation)
    {
        var where = string.Create(CultureInfo.InvariantCulture, $"""
            WHERE agent_id = {Sql.Literal(agentId)} AND received_at >= fromUnixTimestamp64Micro(toInt64({from}))
                AND received_at < fromUnixTimestamp64Micro(toInt64({to})) GROUP BY epoch, lane
            """);
        var sources = string.Join(" UNION ALL ", Classes.Select(static c => c.Name).Append(LedgerTable.Name).Select(name =>
            $"SELECT {Sql.Literal(name)} AS t, epoch, lane, min(batch) AS low, max(batch) AS high, min(received_at) AS at FROM {name} {where}"));
        return await client.QueryAsync(
            $"""
            SELECT epoch, lane, min(low), max(high), toUnixTimestamp64Micro(min(at)) AS first_at, arrayStringConcat(groupUniqArray(t), ' ')
            FROM ({sources}) GROUP BY epoch, lane ORDER BY first_at, epoch, lane
            """,
            static r => new LaneOfTime(
                Number(r, 0), (uint)Number(r, 1), (uint)Number(r, 2), (uint)Number(r, 3), (long)Number(r, 4), r.GetString(5).Split(' ').ToHashSet()),
            cancellation).ConfigureAwait(false);
    }

    private async Task<Dictionary<string, int>> RetentionAsync(CancellationToken cancellation) =>
        (await client.QueryAsync(
            "SELECT name, toInt32OrZero(extract(create_table_query, 'toIntervalDay\\\\((\\\\d+)\\\\)')) FROM system.tables WHERE database = currentDatabase()",
            static r => (Name: r.GetString(0), Days: Convert.ToInt32(r.GetValue(1), CultureInfo.InvariantCulture)),
            cancellation).ConfigureAwait(false)).ToDictionary(static table => table.Name, static table => table.Days);

    /// <summary>The session that the agent had when the lane began spoke JSON.</summary>
    private async Task<bool> IsJsonAsync(string agentId, long at, CancellationToken cancellation) =>
        (await client.QueryAsync(
            string.Create(CultureInfo.InvariantCulture, $"""
            SELECT toString(argMax(encoding, received_at)) FROM {ServerClasses.AgentSession.Name}
            WHERE agent = {Sql.Literal(agentId)} AND event = 'begin' AND received_at <= fromUnixTimestamp64Micro(toInt64({at})) + INTERVAL 1 MINUTE
            """),
            static r => r.GetString(0),
            cancellation).ConfigureAwait(false)) is ["json"];

    private static long Micros(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static ulong Number(ClickHouseDataReader r, int i) => Convert.ToUInt64(r.GetValue(i), CultureInfo.InvariantCulture);

    private sealed record LaneOfTime(ulong Epoch, uint Lane, uint First, uint Last, long ReceivedAt, IReadOnlySet<string> Tables);
}
