using System.Threading.Channels;
using Akka.Streams;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Microbench.Mix;
using Streams.Schema;
using Streams.Worker;
using Streams.Worker.Admission;
using Streams.Worker.Alerts;
using Streams.Worker.Commit;
using Streams.Worker.Decode;
using Streams.Worker.Ranges;
using Streams.Worker.Recovery;

namespace Streams.Microbench.Stages;

/// <summary>
/// Messages of one batch each through the worker's graph of a partition, and through a loop by hand that does the same to each: admit, decode,
/// collect into ranges, hand ranges to a commit that ends at once. Both read a bounded channel that is always full.
/// </summary>
internal sealed class WorkerRun : IDisposable
{
    // The worker's defaults.
    private const int OpenRanges = 4;
    private const int ReadAhead = 512;

    /// <summary>The worker's own for one of four partitions.</summary>
    private static readonly RangeLimits Limits = new(250_000, 32L << 20);

    private readonly IncomingMessage[] _messages;
    private readonly BatchPool _pool = new();
    private readonly WorkerMetrics _metrics = new();
    private readonly LingerClock _clock = new(TimeProvider.System, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));
    private Watermarks _marks = NewMarks();
    private int _batches;

    public WorkerRun(int messages, int rows)
    {
        var templates = PreparedBatches.Templates(Math.Min(messages, 300), rows);
        var epoch = Epoch.NewRandom();
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;
        _messages = new IncomingMessage[messages];
        for (var i = 0; i < messages; i++)
        {
            var head = new MessageHead("agent-1", "host-1", epoch, 1, (uint)i, 1, 1, now);
            _messages[i] = new IncomingMessage((ulong)i + 1, head, PreparedBatches.Named(templates[i % templates.Length], new BatchName(epoch, 1, (uint)i)));
        }

        Rows = (long)messages * rows;
        StoredBytes = _messages.Sum(static message => (long)message.Payload.Length) / messages;
        DecodedBytes = templates.Sum(static batch => (long)PreparedBatches.Header(batch).DecodedLength) / templates.Length;
    }

    public long Rows { get; }

    public int Messages => _messages.Length;

    /// <summary>Mean bytes of a batch as stored.</summary>
    public long StoredBytes { get; }

    /// <summary>Mean bytes of a batch decoded.</summary>
    public long DecodedBytes { get; }

    public async Task GraphAsync(IMaterializer materializer)
    {
        using var intake = Begin();
        var (_, completion) = PartitionGraph.Create(Read, intake, NewRanges, _clock, OpenRanges, CommitAsync, static _ => { }).Run(materializer);
        await completion.ConfigureAwait(false);
        CheckAll();
    }

    public async Task LoopAsync()
    {
        using var intake = Begin();
        using var open = NewRanges();
        var ranges = Channel.CreateBounded<BatchRange>(new BoundedChannelOptions(OpenRanges) { SingleReader = true, SingleWriter = true });
        var commits = Task.Run(() => CommitAllAsync(ranges.Reader));
        await foreach (var message in Read().ConfigureAwait(false))
        {
            intake.Begin(message);
            while (intake.TryNext(out var item))
            {
                if (open.ChangesDay(item))
                {
                    await ranges.Writer.WriteAsync(open.Close(CloseReason.DayChange)).ConfigureAwait(false);
                }

                open.Add(item);
                if (open.IsFull || open.IsDue)
                {
                    await ranges.Writer.WriteAsync(open.Close(open.IsFull ? open.FullReason : CloseReason.Linger)).ConfigureAwait(false);
                }
            }
        }

        await ranges.Writer.WriteAsync(open.Close(CloseReason.Drain)).ConfigureAwait(false);
        ranges.Writer.Complete();
        await commits.ConfigureAwait(false);
        CheckAll();
    }

    public void Dispose() => _metrics.Dispose();

    private static Watermarks NewMarks() => new(TimeProvider.System, LaneMemory.For(30));

    private MessageIntake Begin()
    {
        _batches = 0;
        _marks = NewMarks();
        var alerts = new LoggedAlerts(_metrics, NullLogger.Instance);
        var judge = new BatchJudge(new StoredBatches(), new DeadLetterQuota(TimeProvider.System, 1), alerts, TimeProvider.System);
        var admission = new LaneAdmission(TimeProvider.System, LaneMemory.For(30));
        return new MessageIntake(0, admission, _pool, judge, _marks, alerts, _metrics, NullLogger.Instance);
    }

    private RangeBuilder NewRanges() => new(0, Limits, _clock);

    private IAsyncEnumerable<IncomingMessage> Read()
    {
        var channel = Channel.CreateBounded<IncomingMessage>(new BoundedChannelOptions(ReadAhead) { SingleReader = true, SingleWriter = true });
        _ = Task.Run(async () =>
        {
            foreach (var message in _messages)
            {
                if (!channel.Writer.TryWrite(message))
                {
                    await channel.Writer.WriteAsync(message).ConfigureAwait(false);
                }
            }

            channel.Writer.Complete();
        });
        return channel.Reader.ReadAllAsync();
    }

    private async Task CommitAllAsync(ChannelReader<BatchRange> ranges)
    {
        await foreach (var range in ranges.ReadAllAsync().ConfigureAwait(false))
        {
            await CommitAsync(range).ConfigureAwait(false);
        }
    }

    /// <summary>What a partition does when the inserter has answered.</summary>
    private Task<ulong> CommitAsync(BatchRange range)
    {
        foreach (var batch in range.Batches)
        {
            _marks.Advance(batch.Lane, batch.Head.Epoch, batch.Name.N + 1);
        }

        _batches += range.Batches.Count;
        range.Dispose();
        return Task.FromResult(range.LastSequence);
    }

    private void CheckAll()
    {
        if (_batches != _messages.Length)
        {
            throw new InvalidOperationException($"{_batches} batches were committed, expected {_messages.Length}");
        }
    }
}
