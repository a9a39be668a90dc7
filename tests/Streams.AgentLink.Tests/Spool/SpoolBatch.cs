using System.Buffers.Binary;
using Streams.AgentLink.Spool;
using Streams.Schema;

namespace Streams.AgentLink.Tests.Spool;

/// <summary>Batches with a ledger that balances and a body of noise, and what their ledger says.</summary>
internal static class SpoolBatch
{
    internal static readonly Epoch Sensor = Epoch.FromHalves(0x5E_4501, 7);

    /// <summary>A record: room for its header, then the batch of two CPUs with <paramref name="rows"/> rows and one lost event
    /// each.</summary>
    internal static byte[] Record(BatchName name, PriorityClass priority, ulong first, uint rows, int body)
    {
        const int Entry = LedgerEntry.Size + LedgerEntry.CauseSize;
        var record = new byte[RecordHeader.Size + BatchHeader.Size + (2 * Entry) + body];
        var batch = record.AsSpan(RecordHeader.Size);
        new BatchHeader
        {
            Priority = priority,
            ClassId = priority == PriorityClass.Metric ? MetricClasses.Host.Id : ProcessClasses.Exec.Id,
            SchemaVersion = 1,
            Name = name,
            SensorEpoch = Sensor,
            Rows = (int)rows * 2,
            LedgerEntries = 2,
            Columns = 0,
            LedgerLength = 2 * Entry,
            DecodedLength = body,
            StoredLength = body,
            CatalogueVersion = 1,
        }.Write(batch);
        for (var cpu = 0; cpu < 2; cpu++)
        {
            var entry = batch[(BatchHeader.Size + (cpu * Entry))..];
            BinaryPrimitives.WriteUInt16LittleEndian(entry, (ushort)cpu);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], 1);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[4..], first);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[12..], first + rows);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[20..], rows);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[24..], (ushort)LossCause.RingFull);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[28..], 1);
        }

        new Random((int)(name.N * 31 + name.Lane)).NextBytes(batch[(BatchHeader.Size + (2 * Entry))..]);
        return record;
    }

    /// <summary>What the ledger of a batch accounts for: rows, and losses by cause.</summary>
    internal static (ulong Rows, ulong Lost, Dictionary<LossCause, ulong> Causes) Sum(ReadOnlySpan<byte> batch)
    {
        Assert.True(BatchHeader.TryRead(batch, out var header, out var error), error.ToString());
        Assert.Equal(batch.Length, header.TotalLength);
        var ledger = new DecodedLedger();
        Assert.True(ledger.TryRead(batch.Slice(BatchHeader.Size, header.LedgerLength), header));
        var causes = new Dictionary<LossCause, ulong>();
        var (rows, lost) = (0UL, 0UL);
        foreach (var entry in ledger.Entries)
        {
            rows += entry.Rows;
            foreach (var loss in ledger.Losses(entry))
            {
                lost += loss.Count;
                causes[loss.Cause] = causes.GetValueOrDefault(loss.Cause) + loss.Count;
            }
        }

        return (rows, lost, causes);
    }

    /// <summary>The batches of a frame's plaintext, without its padding.</summary>
    internal static List<(BatchName Name, byte[] Bytes)> Split(byte[] plaintext)
    {
        var batches = new List<(BatchName, byte[])>();
        var sequence = new BatchSequence(plaintext.AsMemory(0, BatchSequence.LengthWithoutPadding(plaintext)));
        while (sequence.MoveNext())
        {
            batches.Add((sequence.Header.Name, sequence.Current.ToArray()));
        }

        Assert.Equal(BatchErrorKind.None, sequence.Error.Kind);
        return batches;
    }
}
