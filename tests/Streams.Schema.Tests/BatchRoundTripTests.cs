using System.Text;
using FsCheck.Xunit;

namespace Streams.Schema.Tests;

public sealed class BatchRoundTripTests
{
    public sealed record Values(long Time, ulong Seq, byte A, ushort B, uint C, ulong D, double E, string? Text, string? Key);

    [Property(MaxTest = 300)]
    public void Rows_come_back_as_they_went_in(Values[] values, byte pick)
    {
        var rows = values.Select(v => new AllTypes.Row(
            v.Time, v.Seq, v.A, v.B, v.C, v.D, v.E, Encoding.UTF8.GetBytes(v.Text ?? ""), Encoding.UTF8.GetBytes(v.Key ?? ""))).ToList();
        using var builder = new BatchBuilder(AllTypes.Class);
        for (var round = 0; round < 2; round++)
        {
            // The second round runs in used buffers.
            foreach (var row in rows)
            {
                AllTypes.AddRow(builder, row);
            }

            var bytes = AllTypes.Seal(builder, (BatchCompression)(pick % 3));
            using var batch = new DecodedBatch();
            Assert.True(BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out var error), error.ToString());
            if (rows.Count > 0)
            {
                RowAssert.Equal(rows, batch);
            }

            builder.Reset();
        }
    }

    [Theory]
    [InlineData(BatchCompression.None)]
    [InlineData(BatchCompression.Lz4)]
    [InlineData(BatchCompression.Zstd)]
    public void The_header_and_the_ledger_come_back(BatchCompression compression)
    {
        var bytes = AllTypes.Batch(500, compression);
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out _));
        Assert.Equal(compression, batch.Header.Compression);
        Assert.Equal(new BatchName(AllTypes.TestEpoch(1), 7, 0), batch.Header.Name);
        Assert.Equal(AllTypes.TestEpoch(2), batch.Header.SensorEpoch);
        Assert.Equal(42, batch.Header.ClockOffset);
        Assert.Equal(Catalogue.Version, batch.Header.CatalogueVersion);
        Assert.Equal(bytes.Length, batch.Header.TotalLength);
        var entry = Assert.Single(batch.Ledger.Entries.ToArray());
        Assert.Equal((ClaimColumns.UserSpaceCpu, 1UL, 503UL, 500U), (entry.Cpu, entry.First, entry.Last, entry.Rows));
        Assert.Equal(
            [new LossCount(LossCause.RingFull, 2), new LossCount(LossCause.Shed, 1)], batch.Ledger.Losses(entry).ToArray());
    }

    [Fact]
    public void A_batch_without_rows_carries_a_ledger_only()
    {
        var bytes = AllTypes.Batch(0, BatchCompression.Zstd);
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(bytes, AllTypes.Class, batch, out _));
        Assert.Equal(0, batch.Rows);
        Assert.Equal(0, batch.MissingColumns);
        Assert.Equal(3UL, batch.Ledger.Entries[0].Last);
    }

    [Theory]
    [InlineData(200, 1)]
    [InlineData(300, 2)]
    public void Indices_are_as_narrow_as_the_keys_allow(int keys, int width)
    {
        using var builder = new BatchBuilder(
            LedgerClasses.Barrier, new BuilderOptions { MaxRows = 65_536, MaxBytes = Limits.MaxDecodedBytes });
        var ordinal = LedgerClasses.Barrier.OrdinalOf("class");
        for (var i = 0; i < keys; i++)
        {
            Assert.True(builder.TryBeginRow(8));
            Assert.True(builder.TrySetDictionary(ordinal, Encoding.ASCII.GetBytes($"k{i}")));
            builder.EndRow();
        }

        Assert.True(builder.TryAddLedger(0, 1, (ulong)keys, (uint)keys));
        var bytes = new byte[Limits.MaxStoredBytes];
        var written = builder.Seal(new BatchName(AllTypes.TestEpoch(1), 0, 0), new(AllTypes.TestEpoch(1)), BatchCompression.Zstd, bytes);
        Assert.True(written > 0);
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(bytes.AsSpan(0, written), batch, out var error), error.ToString());
        var column = batch.Column(ordinal);
        Assert.Equal(width, column.IndexWidth);
        Assert.Equal("k" + (keys - 1), Encoding.ASCII.GetString(RowAssert.Keys(column)[^1]));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(uint.MaxValue, false)]
    public void Indices_of_four_bytes_are_read_and_checked(uint index, bool good)
    {
        // No builder makes them below 65,536 keys, another producer may.
        byte[] column = [2, 0, 0, 0, 0, 1, (byte)'k', 4, .. BitConverter.GetBytes(index)];
        byte[] body = [21, 0, (byte)ColumnType.Dictionary, 0, (byte)column.Length, 0, 0, 0, .. column];
        byte[] ledger = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
        var header = new byte[BatchHeader.Size];
        new BatchHeader
        {
            ClassId = LedgerClasses.Barrier.Id,
            Priority = LedgerClasses.Barrier.Priority,
            SchemaVersion = 1,
            Name = new BatchName(AllTypes.TestEpoch(1), 0, 0),
            SensorEpoch = AllTypes.TestEpoch(1),
            Rows = 1,
            LedgerEntries = 1,
            Columns = 1,
            LedgerLength = ledger.Length,
            DecodedLength = body.Length,
            StoredLength = body.Length,
        }.Write(header);
        using var batch = new DecodedBatch();
        Assert.Equal(good, BatchDecoder.TryDecode((byte[])[.. header, .. ledger, .. body], batch, out var error));
        Assert.Equal(good ? BatchErrorKind.None : BatchErrorKind.DictionaryIndex, error.Kind);
        if (good)
        {
            Assert.Equal("k"u8.ToArray(), Assert.Single(RowAssert.Keys(batch.Column(LedgerClasses.Barrier.OrdinalOf("reason")))));
        }
    }

    [Fact]
    public void A_sequence_walks_batches_and_stops_at_what_is_none()
    {
        var one = AllTypes.Batch(3, BatchCompression.Lz4);
        var two = AllTypes.Batch(5, BatchCompression.None);
        byte[] message = [.. one, .. two];
        var rows = 0;
        var sequence = new BatchSequence(message);
        while (sequence.MoveNext())
        {
            rows += sequence.Header.Rows;
        }

        Assert.Equal(8, rows);
        Assert.Equal(BatchErrorKind.None, sequence.Error.Kind);
        Assert.Equal(message.Length, BatchSequence.LengthWithoutPadding([.. message, .. new byte[255]]));
        Assert.Equal(-1, BatchSequence.LengthWithoutPadding([.. message, .. new byte[256]]));
        Assert.Equal(-1, BatchSequence.LengthWithoutPadding([.. message, 0, 1]));

        var torn = new BatchSequence(message.AsMemory(0, message.Length - 1));
        Assert.True(torn.MoveNext());
        Assert.False(torn.MoveNext());
        Assert.Equal(BatchErrorKind.Truncated, torn.Error.Kind);
    }

    [Fact]
    public void An_IPv4_address_is_mapped()
    {
        using var builder = new BatchBuilder(NetworkClasses.Accept);
        var ordinal = NetworkClasses.Accept.OrdinalOf("remote_address");
        Assert.True(builder.TryBeginRow());
        builder.SetIPv6(ordinal, [127, 77, 0, 1]);
        builder.EndRow();
        builder.TryAddLedger(0, 1, 1, 1);
        var bytes = new byte[builder.MaxSealedBytes];
        var written = builder.Seal(new BatchName(AllTypes.TestEpoch(1), 0, 0), new(AllTypes.TestEpoch(1)), BatchCompression.None, bytes);
        using var batch = new DecodedBatch();
        Assert.True(BatchDecoder.TryDecode(bytes.AsSpan(0, written), batch, out _));
        Assert.Equal(
            System.Net.IPAddress.Parse("::ffff:127.77.0.1").GetAddressBytes(), batch.Column(ordinal).Data.ToArray());
    }

    [Fact]
    public void Epochs_print_parse_and_differ()
    {
        var epoch = Epoch.NewRandom();
        Assert.NotEqual(epoch, Epoch.NewRandom());
        Assert.True(Epoch.TryParse(epoch.ToString(), out var parsed));
        Assert.Equal(epoch, parsed);
        Assert.False(Epoch.TryParse(epoch.ToString().AsSpan(1), out _));
        Assert.Equal(0x0101010101010101UL, AllTypes.TestEpoch(1).Prefix);
    }
}
