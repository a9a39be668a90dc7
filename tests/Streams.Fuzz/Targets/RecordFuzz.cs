using Streams.Agent.Modules.Observability.Batching;
using Streams.Schema;

namespace Streams.Fuzz.Targets;

/// <summary>Records of the kernel's ring as rows; the first byte is the class. A row is whole or is not begun.</summary>
internal sealed class RecordFuzz : FuzzTarget
{
    private static readonly (EventClass Class, IRecordColumns Columns)[] Kinds =
    [
        (ProcessClasses.Exec, new ExecColumns()),
        (ProcessClasses.Exit, new ExitColumns()),
        (NetworkClasses.Connect, NetworkColumns.Connect()),
        (NetworkClasses.Accept, NetworkColumns.Accept()),
        (NetworkClasses.Close, NetworkColumns.Close()),
    ];

    private readonly byte[] _sealed = new byte[Limits.MaxStoredBytes];
    private readonly DecodedBatch _decoded = new();

    public override string Name => "record";

    public override long ExtraAllocation => 4L << 20;

    public override IEnumerable<byte[]> Seeds() => Enumerable.Range(0, Kinds.Length).Select(kind => (byte[])[(byte)kind, .. new byte[400]]);

    public override int Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return 0;
        }

        var (eventClass, columns) = Kinds[input[0] % Kinds.Length];
        // The ring gives records at multiples of 8, and structures are read in place.
        var record = input[1..].ToArray();
        if (!columns.TryMeasure(record, out var strings))
        {
            return 1;
        }

        using var builder = new BatchBuilder(eventClass);
        if (!builder.TryBeginRow(strings))
        {
            return 2;
        }

        builder.SetClaim(1, 1, 0, 0, 0);
        columns.Write(record, builder, 0);
        builder.EndRow();
        Must(builder.TryAddLedger(0, 1, 1, 1), "no ledger");
        var epoch = Epoch.Read([1, .. new byte[15]]);
        var length = builder.Seal(new BatchName(epoch, 1, 0), new BatchStamp(epoch), BatchCompression.None, _sealed);
        Must(length > 0, "a row that was taken does not fit");
        Must(BatchDecoder.TryDecode(_sealed.AsSpan(0, length), _decoded, out var error), $"the worker refuses it: {error.Kind} of column {error.ColumnId}");
        return 3 + input[0] % Kinds.Length;
    }
}
