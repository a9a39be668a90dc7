using System.Buffers;
using Streams.Queue;
using Streams.Schema;

namespace Streams.Fuzz.Targets;

/// <summary>What workers tell gateways of lanes.</summary>
internal sealed class FlowFuzz : FuzzTarget
{
    public override string Name => "flow";

    public override IEnumerable<byte[]> Seeds()
    {
        var writer = new ArrayBufferWriter<byte>();
        foreach (var kind in Enum.GetValues<FlowKind>())
        {
            FlowCodec.Write(writer, new FlowRecord(kind, "agent-1", Epoch.Read(new byte[16]), 1, 2));
        }

        yield return writer.WrittenSpan.ToArray();
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        var records = new List<FlowRecord>();
        var bad = FlowCodec.TryReadAnswer(input, asked: 3, records, out var answered);
        Must(answered <= 3 && (bad == FlowError.None || (answered == 0 && records.Count == 0)), "an answer left records or is of more than were asked for");
        records.Clear();
        var error = FlowCodec.TryRead(input, records);
        if (error != FlowError.None)
        {
            Must(records.Count == 0, "an error left records");
            return (int)error;
        }

        var writer = new ArrayBufferWriter<byte>();
        foreach (var record in records)
        {
            FlowCodec.Write(writer, record);
        }

        Must(writer.WrittenSpan.SequenceEqual(input), "a message has two forms");
        return 100 + records.Count;
    }
}
