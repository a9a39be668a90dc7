using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Schema;

namespace Streams.Gateway.Tests.Support;

/// <summary>Stands where a worker does for the gateway's own rows: reads them and says that they are committed.</summary>
internal sealed class GatewayRows : IAsyncDisposable
{
    private static readonly string Agent = RowProducer.IdOf("gateway", "gateway-1");

    private readonly PartitionReader _reader;
    private readonly FlowPublisher _flow;
    private readonly List<(EventClass Class, Dictionary<string, string> Values)> _rows = [];

    public GatewayRows(GatewayFixture fixture)
    {
        _reader = PartitionReader.Start(fixture.Worker, Subjects.PartitionOf(Agent, fixture.Options.Partitions), 0);
        _flow = fixture.Flow(Agent);
    }

    /// <summary>Reads until such a row was there; gives it as column name to text.</summary>
    public async Task<IReadOnlyDictionary<string, string>> FindAsync(EventClass eventClass, Func<IReadOnlyDictionary<string, string>, bool> wanted)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            if (_rows.FirstOrDefault(row => row.Class == eventClass && wanted(row.Values)) is { Values: { } found })
            {
                return found;
            }

            using var read = await _reader.ReadAsync(patience.Token);
            foreach (var message in read.Messages.Where(message => message.AgentId == Agent))
            {
                var headers = message.Headers;
                await _flow.TellAsync([new FlowRecord(FlowKind.Watermark, Agent, headers.Epoch, 0, headers.First + headers.Count)], patience.Token);
                Read(message.Payload);
            }
        }
    }

    public ValueTask DisposeAsync() => _reader.DisposeAsync();

    private void Read(ReadOnlyMemory<byte> message)
    {
        var batches = new BatchSequence(message);
        while (batches.MoveNext())
        {
            using var batch = new DecodedBatch();
            Assert.True(BatchDecoder.TryDecode(batches.Current.Span, batch, out var error), error.ToString());
            for (var row = 0; row < batch.Rows; row++)
            {
                var values = new Dictionary<string, string>();
                for (var column = 0; column < batch.Class.Columns.Count; column++)
                {
                    values.Add(batch.Class.Columns[column].Name, Value(batch.Column(column), row));
                }

                _rows.Add((batch.Class, values));
            }
        }
    }

    private static string Value(DecodedColumn column, int row) => column.Type switch
    {
        ColumnType.Bool => column.Data[row] == 0 ? "false" : "true",
        ColumnType.UInt16 => $"{MemoryMarshal.Cast<byte, ushort>(column.Data)[row]}",
        ColumnType.UInt32 => $"{MemoryMarshal.Cast<byte, uint>(column.Data)[row]}",
        ColumnType.UInt64 => $"{MemoryMarshal.Cast<byte, ulong>(column.Data)[row]}",
        ColumnType.DateTime64Micro => $"{MemoryMarshal.Cast<byte, long>(column.Data)[row]}",
        ColumnType.IPv6 => new IPAddress(column.Data.Slice(row * 16, 16)).ToString(),
        ColumnType.String => Text(column, row),
        ColumnType.Dictionary => Text(column, column.IndexWidth == 1 ? column.Indices[row] : BitConverter.ToUInt16(column.Indices[(row * 2)..])),
        _ => throw new NotSupportedException(),
    };

    private static string Text(DecodedColumn column, int index)
    {
        foreach (var text in column.Strings())
        {
            if (index-- == 0)
            {
                return Encoding.UTF8.GetString(text);
            }
        }

        throw new InvalidOperationException("no such row");
    }
}
