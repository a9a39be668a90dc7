using System.Buffers.Binary;
using System.Globalization;
using ClickHouse.Driver.ADO.Readers;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>Loads what is stored about a run of batches of one lane. Memory: one entry per batch, and the rows of one batch at a time.</summary>
internal sealed class EvidenceReader(StorageClient client, string agentId, IReadOnlyDictionary<string, int> retentionDays, ISha256 hash) : IDisposable
{
    private static readonly string CauseText =
        "arrayStringConcat(arrayFilter((n, v) -> v > 0, ["
        + string.Join(", ", LossCauses.Names.Select(Sql.Literal)) + "], [" + string.Join(", ", LossCauses.Names.Select(n => $"sum(lost_{n})")) + "]), ' ')";

    private readonly Dictionary<ushort, BatchBuilder> _builders = [];

    /// <summary>How far the proofs of batches <paramref name="first"/> to <paramref name="last"/> reach on either side.</summary>
    public async Task<(uint First, uint Last)> ReachAsync(ulong epoch, uint lane, uint first, uint last, CancellationToken cancellation)
    {
        var low = first - Math.Min(first, LaneJudge.MaxCovered);
        var high = last + Math.Min(uint.MaxValue - last, LaneJudge.MaxCovered);
        var found = await client.QueryAsync(
            string.Create(CultureInfo.InvariantCulture, $"""
            SELECT countIf(from_batch BETWEEN {low} AND {first}), minIf(from_batch, from_batch >= {low}),
                countIf(proven_batch >= {last} AND signature != ''), minIf(proven_batch, proven_batch >= {last} AND signature != '')
            FROM {LedgerClasses.BatchProof.Name} WHERE {Lane("proven_epoch", epoch, "proven_lane", lane)} AND proven_batch BETWEEN {first} AND {high}
            """),
            static r => (Number(r, 0), Number(r, 1), Number(r, 2), Number(r, 3)),
            cancellation).ConfigureAwait(false);
        var (before, from, after, to) = found[0];
        return (before > 0 ? Math.Min(first, (uint)from) : first, after > 0 ? (uint)to : last);
    }

    public async Task<SortedDictionary<uint, BatchEvidence>> ReadAsync(
        ulong epoch, uint lane, uint first, uint last, IReadOnlySet<string> tables, CancellationToken cancellation)
    {
        var evidence = new SortedDictionary<uint, BatchEvidence>();
        await ReadLedgerAsync(evidence, epoch, lane, first, last, cancellation).ConfigureAwait(false);
        await ReadProofsAsync(evidence, epoch, lane, first, last, cancellation).ConfigureAwait(false);
        foreach (var eventClass in Catalogue.Classes)
        {
            if (tables.Contains(eventClass.Name) || evidence.Values.Any(batch => batch.Class == eventClass.Name))
            {
                await ReadRowsAsync(evidence, eventClass, epoch, lane, first, last, cancellation).ConfigureAwait(false);
            }
        }

        foreach (var batch in evidence.Values.Where(static batch => batch.Rows == 0 && batch.InLedger))
        {
            AddEmpty(batch, epoch, lane);
        }

        return evidence;
    }

    public void Dispose()
    {
        foreach (var builder in _builders.Values)
        {
            builder.Dispose();
        }
    }

    private async Task ReadLedgerAsync(
        SortedDictionary<uint, BatchEvidence> evidence, ulong epoch, uint lane, uint first, uint last, CancellationToken cancellation)
    {
        var rows = await client.QueryAsync(
            string.Create(CultureInfo.InvariantCulture, $"""
            SELECT batch, any(class), max(batch_rows), {CauseText}, any(sensor_epoch), toUnixTimestamp64Micro(min(received_at))
            FROM {LedgerTable.Name} WHERE {Lane("epoch", epoch, "lane", lane)} AND batch BETWEEN {first} AND {last} AND {LedgerTable.IsCurrent}
            GROUP BY batch ORDER BY batch
            """),
            static r => new BatchEvidence((uint)Number(r, 0))
            {
                Class = r.GetString(1),
                LedgerRows = (long)Number(r, 2),
                Causes = r.GetString(3),
                SensorEpoch = Number(r, 4),
                ReceivedAt = (long)Number(r, 5),
                InLedger = true,
            },
            cancellation).ConfigureAwait(false);
        foreach (var row in rows)
        {
            evidence[row.N] = row;
        }
    }

    private async Task ReadProofsAsync(
        SortedDictionary<uint, BatchEvidence> evidence, ulong epoch, uint lane, uint first, uint last, CancellationToken cancellation)
    {
        var before = first == 0 ? 0 : first - 1; // its chain is what the first signature starts from
        var rows = await client.QueryAsync(
            string.Create(CultureInfo.InvariantCulture, $"""
            SELECT proven_batch, hex(digest), hex(chain), from_batch, hex(signature), toUInt8(restart)
            FROM {LedgerClasses.BatchProof.Name} WHERE {Lane("proven_epoch", epoch, "proven_lane", lane)}
                AND proven_batch BETWEEN {before} AND {last} ORDER BY proven_batch, restart
            """),
            static r => new ProofRow(
                (uint)Number(r, 0), Convert.FromHexString(r.GetString(1)), Convert.FromHexString(r.GetString(2)), (uint)Number(r, 3),
                Convert.FromHexString(r.GetString(4)), Number(r, 5) != 0),
            cancellation).ConfigureAwait(false);
        foreach (var row in rows.Where(static row => row.Digest.Length == BatchDigest.Size && row.Chain.Length == DigestChain.Size))
        {
            Of(evidence, row.N).Proofs.Add(row);
        }
    }

    private async Task ReadRowsAsync(
        SortedDictionary<uint, BatchEvidence> evidence, EventClass eventClass, ulong epoch, uint lane, uint first, uint last, CancellationToken cancellation)
    {
        var reader = new StoredRowReader(eventClass);
        if (!_builders.TryGetValue(eventClass.Id, out var builder))
        {
            _builders[eventClass.Id] = builder = BatchBuilder.ForDigest(eventClass);
        }

        var query = string.Create(CultureInfo.InvariantCulture, $"""
            SELECT {reader.Columns} FROM {eventClass.Name}
            WHERE {Lane("epoch", epoch, "lane", lane)} AND batch BETWEEN {first} AND {last} ORDER BY batch, row FORMAT RowBinary
            """);
        await using var rows = new RowBinaryStream(await client.OpenAsync(query, cancellation).ConfigureAwait(false));
        var batch = new OpenBatch();
        while (true)
        {
            var source = rows.Buffered;
            var length = source.Length < StoredRowReader.HeadBytes ? 0 : reader.Measure(source, out _);
            if (length == 0)
            {
                if (await rows.ReadMoreAsync(cancellation).ConfigureAwait(false))
                {
                    continue;
                }

                if (rows.Buffered.Length > 0)
                {
                    throw new InvalidDataException($"{eventClass.Name}: the answer ends inside a row");
                }

                break;
            }

            var n = BinaryPrimitives.ReadUInt32LittleEndian(source);
            if (batch.Rows > 0 && n != batch.N)
            {
                Close(evidence, eventClass, builder, batch, epoch, lane);
            }

            batch.Add(source[..length], n, reader, builder);
            rows.Take(length);
        }

        if (batch.Rows > 0)
        {
            Close(evidence, eventClass, builder, batch, epoch, lane);
        }
    }

    private void Close(
        SortedDictionary<uint, BatchEvidence> evidence, EventClass eventClass, BatchBuilder builder, OpenBatch batch, ulong epoch, uint lane)
    {
        var found = Of(evidence, batch.N);
        found.Repeated |= batch.Repeated || found.Rows > 0;
        found.ColumnsIgnored |= (batch.ServerFlags & ServerColumns.ColumnsIgnored) != 0;
        found.Rows += batch.Rows;
        found.Class = eventClass.Name;
        if (batch.IsWhole)
        {
            var name = new BatchName(Epoch.FromHalves(epoch, 0), lane, batch.N);
            for (var version = eventClass.Version; version > 0; version--)
            {
                var digest = new byte[BatchDigest.Size];
                builder.DigestAs(version, name, batch.SensorEpoch, hash, digest);
                found.Digests.Add(digest);
            }
        }

        builder.Reset();
        batch.Clear();
    }

    /// <summary>A batch that never had rows has the digest of its header.</summary>
    private void AddEmpty(BatchEvidence batch, ulong epoch, uint lane)
    {
        batch.Expired = batch.LedgerRows > 0 && retentionDays.GetValueOrDefault(batch.Class) is var days and > 0
            && DateTimeOffset.UnixEpoch.AddMicroseconds(batch.ReceivedAt).AddDays(days) < DateTimeOffset.UtcNow;
        if (batch.LedgerRows > 0 || !Catalogue.TryGet(batch.Class, out var eventClass))
        {
            return;
        }

        for (var version = eventClass.Version; version > 0; version--)
        {
            var digest = new byte[BatchDigest.Size];
            BatchDigest.OfHeader(
                new BatchHeader
                {
                    Name = new BatchName(Epoch.FromHalves(epoch, 0), lane, batch.N),
                    ClassId = eventClass.Id,
                    SchemaVersion = version,
                    SensorEpoch = Epoch.FromHalves(batch.SensorEpoch, 0),
                },
                hash,
                digest);
            batch.Digests.Add(digest);
        }
    }

    private string Lane(string epochColumn, ulong epoch, string laneColumn, uint lane) => string.Create(
        CultureInfo.InvariantCulture, $"agent_id = {Sql.Literal(agentId)} AND {epochColumn} = {epoch} AND {laneColumn} = {lane}");

    private static BatchEvidence Of(SortedDictionary<uint, BatchEvidence> evidence, uint n) =>
        evidence.TryGetValue(n, out var found) ? found : evidence[n] = new BatchEvidence(n);

    private static ulong Number(ClickHouseDataReader r, int i) => Convert.ToUInt64(r.GetValue(i), CultureInfo.InvariantCulture);

    /// <summary>The batch whose rows are being read.</summary>
    private sealed class OpenBatch
    {
        private uint _lastRow;

        public uint N { get; private set; }

        public long Rows { get; private set; }

        public bool Repeated { get; private set; }

        /// <summary>False when its rows are not those of any batch: numbers with holes, several sensors, too much.</summary>
        public bool IsWhole { get; private set; }

        public ulong SensorEpoch { get; private set; }

        public uint ServerFlags { get; private set; }

        public void Add(ReadOnlySpan<byte> source, uint n, StoredRowReader reader, BatchBuilder builder)
        {
            var row = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
            var sensor = BinaryPrimitives.ReadUInt64LittleEndian(source[8..]);
            if (Rows == 0)
            {
                (N, SensorEpoch, IsWhole) = (n, sensor, true);
            }

            Repeated |= Rows > 0 && row == _lastRow;
            IsWhole = IsWhole && row == Rows && sensor == SensorEpoch;
            ServerFlags |= BinaryPrimitives.ReadUInt32LittleEndian(source[16..]);
            _lastRow = row;
            Rows++;
            if (!IsWhole)
            {
                return;
            }

            reader.Measure(source, out var strings);
            IsWhole = builder.TryBeginRow(strings) && End(reader.TryFill(source, builder), builder);
        }

        public void Clear() => (Rows, Repeated, ServerFlags) = (0, false, 0);

        private static bool End(bool filled, BatchBuilder builder)
        {
            builder.EndRow();
            return filled;
        }
    }
}
