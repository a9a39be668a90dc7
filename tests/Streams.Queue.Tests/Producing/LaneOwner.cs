using Streams.Schema;

namespace Streams.Queue.Tests.Producing;

/// <summary>Stands where a worker does: reads a partition, and says what a test lets it say.</summary>
internal sealed class LaneOwner : IAsyncDisposable
{
    private readonly PartitionReader _reader;
    private readonly FlowPublisher _flow;

    private LaneOwner(PartitionReader reader, FlowPublisher flow) => (_reader, _flow) = (reader, flow);

    public static async Task<LaneOwner> OpenAsync(QueueConnection worker, int partition, Func<IReadOnlyList<FlowRecord>?> answer) => new(
        PartitionReader.Start(worker, partition, 1),
        await FlowPublisher.OpenAsync(worker, partition, (_, records) =>
        {
            if (answer() is not { } given)
                return false;
            records.AddRange(given);
            return true;
        }));

    /// <summary>The next message that is in the queue.</summary>
    public async Task<Read> ReadAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var batch = await _reader.ReadAsync(patience.Token);
        var message = Assert.Single(batch.Messages);
        return new Read(message.AgentId, message.Headers, message.Payload.ToArray());
    }

    public ValueTask TellAsync(in Read read, FlowKind kind, uint n) =>
        _flow.TellAsync([new FlowRecord(kind, read.AgentId, read.Headers.Epoch, 0, n)]);

    public ValueTask CommitAsync(in Read read) => TellAsync(read, FlowKind.Watermark, read.Headers.First + read.Headers.Count);

    public async ValueTask DisposeAsync()
    {
        await _flow.DisposeAsync();
        await _reader.DisposeAsync();
    }

    internal readonly record struct Read(string AgentId, MessageHeaders Headers, byte[] Payload)
    {
        /// <summary>The batches, each decoded as a worker does.</summary>
        public List<DecodedBatch> Batches()
        {
            var found = new List<DecodedBatch>();
            foreach (var current in Split())
            {
                var batch = new DecodedBatch();
                Assert.True(BatchDecoder.TryDecode(current.Span, batch, out var error), error.ToString());
                found.Add(batch);
            }

            Assert.Equal(Headers.Count, (uint)found.Count);
            for (var i = 0; i < found.Count; i++)
                Assert.Equal(new BatchName(Headers.Epoch, 0, Headers.First + (uint)i), found[i].Header.Name);
            return found;
        }

        private List<ReadOnlyMemory<byte>> Split()
        {
            var parts = new List<ReadOnlyMemory<byte>>();
            var batches = new BatchSequence(Payload);
            while (batches.MoveNext())
                parts.Add(batches.Current);
            Assert.Equal(BatchErrorKind.None, batches.Error.Kind);
            return parts;
        }
    }
}
