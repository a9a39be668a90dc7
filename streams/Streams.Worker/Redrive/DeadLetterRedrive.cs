using System.Globalization;
using System.Security.Cryptography;
using Streams.Schema;
using Streams.Storage;
using Streams.Worker.Admission;
using Streams.Worker.Alerts;
using Streams.Worker.Commit;
using Streams.Worker.Decode;
using Streams.Worker.Redrive;

namespace Streams.Worker;

/// <summary>
/// Stores dead letters whose cause is gone: the rows under the batch's own name, then its ledger rows under revision 1, which count instead
/// of those that called it dead. Each step is read back before it is sent, so it may be repeated and interrupted at will. Works beside
/// running workers, which are done with a batch that has ledger rows.
/// </summary>
public sealed class DeadLetterRedrive : IDisposable
{
    private const long MicrosPerDay = 86_400_000_000;
    private const byte Revision = 1;

    private readonly StorageClient _client;
    private readonly StorageMetrics _storageMetrics = new();
    private readonly WorkerMetrics _metrics = new();
    private readonly ClickHouseBatchStore _store;
    private readonly BatchPool _pool = new();
    private readonly string _owner = "redrive-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));

    public DeadLetterRedrive(StorageOptions options)
    {
        _client = new StorageClient(options);
        _store = new ClickHouseBatchStore(_client, _storageMetrics, _owner);
    }

    /// <summary>Dead letters that were not re-driven, oldest first.</summary>
    /// <param name="agentId">Only this agent's; null for all.</param>
    public Task<List<DeadLetterName>> WaitingAsync(string? agentId, CancellationToken cancel) => _client.QueryAsync(
        $"""
        SELECT agent_id, epoch, epoch_low, lane, batch FROM {DeadLetterTable.Name}
        WHERE {DeadLetterTable.IsWaiting} {(agentId is null ? "" : $"AND agent_id = '{Checked(agentId)}'")}
        ORDER BY dead_at, agent_id, epoch, lane, batch
        """,
        static r => new DeadLetterName(
            r.GetString(0),
            new BatchName(
                Epoch.FromHalves(Number(r.GetValue(1)), Number(r.GetValue(2))), (uint)Number(r.GetValue(3)), (uint)Number(r.GetValue(4)))),
        cancel);

    /// <summary>Stores one dead letter.</summary>
    /// <exception cref="ClickHouse.Driver.ClickHouseServerException">ClickHouse refused a query.</exception>
    /// <exception cref="TimeoutException">ClickHouse did not answer.</exception>
    public async Task<RedriveOutcome> RunAsync(DeadLetterName name, CancellationToken cancel)
    {
        var taken = await RedriveLock.TryTakeAsync(_client, _owner, cancel).ConfigureAwait(false);
        if (taken is null)
        {
            return new RedriveOutcome(RedriveState.Refused, "another re-drive is under way; try again when it has ended");
        }

        await using (taken.ConfigureAwait(false))
        {
            using var batch = _pool.Rent();
            return await ReadAsync(name, batch, cancel).ConfigureAwait(false)
                ?? await StoreAsync(batch, taken, cancel).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _store.Dispose();
        _metrics.Dispose();
        _storageMetrics.Dispose();
        _client.Dispose();
    }

    /// <returns>Null when the batch is in hand.</returns>
    private async Task<RedriveOutcome?> ReadAsync(DeadLetterName name, StagedBatch batch, CancellationToken cancel)
    {
        var (agent, (epoch, lane, n)) = name;
        var key = string.Create(
            CultureInfo.InvariantCulture, $"agent_id = '{Checked(agent)}' AND epoch = {epoch.Prefix} AND lane = {lane} AND batch = {n}");
        var letters = await _client.QueryAsync(
            $"SELECT host, toUnixTimestamp64Micro(received_at), hex(bytes) FROM {DeadLetterTable.Name} "
                + $"WHERE {key} AND epoch_low = {epoch.Suffix.ToString(CultureInfo.InvariantCulture)}",
            static r => (
                Host: r.GetString(0), ReceivedAt: Convert.ToInt64(r.GetValue(1), CultureInfo.InvariantCulture), Bytes: r.GetString(2)),
            cancel).ConfigureAwait(false);
        if (letters is not [var letter])
        {
            return new RedriveOutcome(RedriveState.NotFound);
        }

        var committed = await _client.QueryAsync(
            $"SELECT count() FROM {LedgerTable.Name} WHERE {key} AND revision = 0",
            static r => Number(r.GetValue(0)),
            cancel).ConfigureAwait(false);
        if (committed[0] == 0)
        {
            return new RedriveOutcome(RedriveState.Refused, "its ledger rows are not there yet: the worker is not done with it");
        }

        batch.Head = new MessageHead(agent, letter.Host, epoch, lane, n, 1, 0, letter.ReceivedAt);
        batch.Name = name.Batch;
        batch.Revision = Revision;
        batch.Keep(Convert.FromHexString(letter.Bytes));
        return !BatchDecoder.TryDecode(batch.Received, batch.Decoded, out var error)
            ? new RedriveOutcome(RedriveState.Refused, $"undecodable: {error}")
            // What a producer may not say does not become its own by waiting.
            : !ServerClasses.MayProduce(agent, batch.Decoded.Class)
                ? new RedriveOutcome(RedriveState.Refused, $"foreign_class: {batch.Decoded.Class.Name} is not of {agent}")
            : null;
    }

    private async Task<RedriveOutcome> StoreAsync(StagedBatch batch, RedriveLock taken, CancellationToken cancel)
    {
        var said = new LastLine();
        var fence = new PartitionFence(0, () => taken.Holds);
        var pending = new PendingBatch(batch, fence);
        var insert = new BlockInsert(
            _store,
            new AbandonedInserts(),
            new DeadLetterQuota(TimeProvider.System, int.MaxValue),
            new LoggedAlerts(_metrics, said),
            TimeProvider.System,
            _metrics,
            said);
        var day = (int)(batch.Head.ReceivedAt / MicrosPerDay);
        var sent = false;
        foreach (var eventClass in new[] { batch.Decoded.Class, null })
        {
            var target = new InsertTarget(eventClass, day, Revision: Revision);
            var stored = await _store.ReadBackAsync(target, [pending], cancel).ConfigureAwait(false);
            if (stored[0] || (eventClass is not null && batch.Rows == 0))
            {
                continue;
            }

            sent = true;
            await insert.RunAsync(target, [pending], cancel).ConfigureAwait(false);
            if (fence.Failure is { } failure)
            {
                return new RedriveOutcome(RedriveState.Refused, taken.Holds ? failure : $"not stored within a minute; last: {said.Text}");
            }
        }

        return new RedriveOutcome(sent ? RedriveState.Stored : RedriveState.AlreadyStored);
    }

    private static string Checked(string agentId) =>
        Queue.Subjects.IsAgentId(agentId) ? agentId : throw new ArgumentException($"'{agentId}' is not an agent id");

    private static ulong Number(object value) => Convert.ToUInt64(value, CultureInfo.InvariantCulture);
}
