using Akka.Streams;
using Akka.Streams.Dsl;
using Akka.TestKit.Xunit2;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Stages;
using Streams.Testing;
using Streams.Worker.Admission;
using Streams.Worker.Commit;
using Streams.Worker.Decode;
using Streams.Worker.Ranges;
using Streams.Worker.Recovery;
using Streams.Worker.Tests.Fakes;

namespace Streams.Worker.Tests.Ranges;

/// <summary>The stages as a graph runs them: demand, timers, the end of the stream, and what is returned when it is torn down.</summary>
public sealed class StageTests : TestKit
{
    private static readonly Streams.Schema.Epoch Epoch = Batches.EpochOf(7);

    private readonly BatchPool _pool = new();
    private readonly WorkerMetrics _metrics = new();
    private readonly ActorMaterializer _materializer;
    private readonly LingerClock _clock = new(TimeProvider.System, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));

    public StageTests()
        : base(GraphSettings.Configuration) => _materializer = GraphSettings.CreateMaterializer(Sys, "stage-tests");

    protected override void AfterAll()
    {
        _materializer.Dispose();
        base.AfterAll();
        _metrics.Dispose();
    }

    [Fact]
    public async Task The_end_of_the_stream_closes_what_is_open_and_commits_every_batch_in_order()
    {
        var messages = Enumerable.Range(0, 50).Select(i => Batches.Message((ulong)i + 1, Epoch, 1, (uint)i * 2, 2));
        var ranges = await Graph(Source.From(messages), new RangeLimits(150, 1 << 20)).RunWith(Sink.Seq<BatchRange>(), _materializer)
            .WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(
            Enumerable.Range(0, 100).Select(n => (uint)n),
            ranges.SelectMany(range => range.Batches).Select(batch => batch.Name.N));
        Assert.All(ranges.SkipLast(1), range => Assert.Equal(CloseReason.Rows, range.Reason));
        Assert.Equal(CloseReason.Drain, ranges[^1].Reason);
        Assert.Equal(50u, ranges[^1].LastSequence);
        Release(ranges);
    }

    [Fact]
    public async Task Linger_closes_a_quiet_range_and_the_stream_goes_on()
    {
        var (queue, ranges) = Graph(Source.Queue<IncomingMessage>(8, OverflowStrategy.Backpressure), new RangeLimits(100_000, 1 << 20))
            .ToMaterialized(Sink.Queue<BatchRange>(), Keep.Both).Run(_materializer);
        await queue.OfferAsync(Batches.Message(1, Epoch, 1, 0, 1));
        var first = await ranges.PullAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(CloseReason.Linger, first.Value.Reason);
        await queue.OfferAsync(Batches.Message(2, Epoch, 1, 1, 1));
        var second = await ranges.PullAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(1u, Assert.Single(second.Value.Batches).Name.N);
        queue.Complete();
        Assert.False((await ranges.PullAsync().WaitAsync(TimeSpan.FromSeconds(5))).HasValue);
        Release([first.Value, second.Value]);
    }

    [Fact]
    public async Task A_message_of_another_day_starts_a_new_range()
    {
        IncomingMessage[] messages =
        [
            Batches.Message(1, Epoch, 1, 0, 1),
            Batches.Message(2, Epoch, 1, 1, 1, receivedAt: Batches.Noon + 86_400_000_000),
            Batches.Message(3, Epoch, 1, 2, 1, receivedAt: Batches.Noon + 86_400_000_000),
        ];
        var ranges = await Graph(Source.From(messages), new RangeLimits(100_000, 1 << 20)).RunWith(Sink.Seq<BatchRange>(), _materializer)
            .WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal([(CloseReason.DayChange, 1), (CloseReason.Drain, 2)], ranges.Select(range => (range.Reason, range.Batches.Count)));
        Assert.Equal(ranges[0].Day + 1, ranges[1].Day);
        Release(ranges);
    }

    [Fact]
    public async Task Without_demand_the_open_range_grows_to_its_limit_and_reading_stops()
    {
        var read = 0;
        var messages = Source.From(Enumerable.Range(0, 1000)).Select(i =>
        {
            Interlocked.Increment(ref read);
            return Batches.Message((ulong)i + 1, Epoch, 1, (uint)i, 1);
        });
        var (kill, ranges) = Graph(
            messages.ViaMaterialized(KillSwitches.Single<IncomingMessage>(), Keep.Right), new RangeLimits(200, 1 << 20))
            .ToMaterialized(Sink.Queue<BatchRange>().WithAttributes(Attributes.CreateInputBuffer(1, 1)), Keep.Both).Run(_materializer);
        await Eventually.TrueAsync(() => Volatile.Read(ref read) >= 40, "the next range fills while nobody asks");
        await Task.Delay(400);
        Assert.InRange(Volatile.Read(ref read), 40, 70);
        var first = await ranges.PullAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(200, first.Value.Rows);
        kill.Shutdown();
        first.Value.Dispose();
        await Drained(ranges);
    }

    [Fact]
    public async Task A_graph_that_is_torn_down_returns_its_open_batches()
    {
        var endless = Source.From(Enumerable.Range(0, 3))
            .Select(i => Batches.Message((ulong)i + 1, Epoch, 1, (uint)i, 1))
            .Concat(Source.Maybe<IncomingMessage>().MapMaterializedValue(_ => NotUsed()));
        var kill = Graph(endless, new RangeLimits(100_000, 1 << 20), TimeSpan.FromSeconds(30))
            .ViaMaterialized(KillSwitches.Single<BatchRange>(), Keep.Right)
            .To(Sink.Ignore<BatchRange>().MapMaterializedValue(_ => NotUsed())).Run(_materializer);
        await Eventually.TrueAsync(() => _pool.Outstanding == 3, "the batches are in the open range");
        kill.Abort(new InvalidOperationException("crash"));
        await Eventually.TrueAsync(() => _pool.Outstanding == 0, "the batches are back in their pool");
    }

    private static Akka.NotUsed NotUsed() => Akka.NotUsed.Instance;

    private Source<BatchRange, TMat> Graph<TMat>(Source<IncomingMessage, TMat> source, RangeLimits limits, TimeSpan? linger = null)
    {
        var intake = new MessageIntake(
            0,
            new LaneAdmission(TimeProvider.System, LaneMemory.For(30)),
            _pool,
            new BatchJudge(new StoredBatches(), new DeadLetterQuota(TimeProvider.System, 2), new RecordedAlerts(), TimeProvider.System),
            new Watermarks(TimeProvider.System, LaneMemory.For(30)),
            new RecordedAlerts(),
            _metrics,
            NullLogger.Instance);
        var clock = linger is { } fixedLinger ? new LingerClock(TimeProvider.System, fixedLinger, fixedLinger) : _clock;
        return source.Via(new IntakeStage(intake)).Via(new RangeStage(() => new RangeBuilder(0, limits, clock), clock));
    }

    private async Task Drained(ISinkQueue<BatchRange> ranges)
    {
        while (true)
        {
            var next = await ranges.PullAsync().WaitAsync(TimeSpan.FromSeconds(5));
            if (!next.HasValue)
            {
                break;
            }

            next.Value.Dispose();
        }

        await Eventually.TrueAsync(() => _pool.Outstanding == 0, "every batch is back in its pool");
    }

    private void Release(IEnumerable<BatchRange> ranges)
    {
        foreach (var range in ranges)
        {
            range.Dispose();
        }

        Assert.Equal(0, _pool.Outstanding);
    }
}
