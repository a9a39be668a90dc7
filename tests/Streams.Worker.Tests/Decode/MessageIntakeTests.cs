using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Queue;
using Streams.Schema;
using Streams.Storage;
using Streams.Worker.Admission;
using Streams.Worker.Commit;
using Streams.Worker.Decode;
using Streams.Worker.Recovery;
using Streams.Worker.Tests.Fakes;

namespace Streams.Worker.Tests.Decode;

public sealed class MessageIntakeTests : IDisposable
{
    private static readonly Epoch Epoch = Batches.EpochOf(7);

    private readonly BatchPool _pool = new();
    private readonly StoredBatches _stored = new();
    private readonly Watermarks _marks = new(TimeProvider.System, LaneMemory.For(30));
    private readonly WorkerMetrics _metrics = new();
    private readonly RecordedAlerts _alerts = new();
    private readonly DeadLetterQuota _quota = new(TimeProvider.System, 2);
    private readonly MessageIntake _intake;

    public MessageIntakeTests() => _intake = new MessageIntake(
        0,
        new LaneAdmission(TimeProvider.System, LaneMemory.For(30)),
        _pool,
        new BatchJudge(_stored, _quota, _alerts, TimeProvider.System),
        _marks,
        _alerts,
        _metrics,
        NullLogger.Instance);

    public void Dispose()
    {
        Assert.Equal(0, _pool.Outstanding);
        _intake.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public void A_message_gives_its_batches_one_by_one_and_ends()
    {
        var items = Run(Batches.Message(9, Epoch, 1, 0, 3));
        Assert.Equal([(0u, false), (1u, false), (2u, true)], items);
        Assert.False(_intake.HasMore);
    }

    [Fact]
    public void The_known_start_of_an_overlapping_message_is_skipped()
    {
        Run(Batches.Message(1, Epoch, 1, 0, 3));
        Assert.Equal([(3u, false), (4u, true)], Run(Batches.Message(2, Epoch, 1, 1, 4)));
    }

    [Fact]
    public void A_duplicate_yields_only_its_end_and_repeats_the_watermark()
    {
        Run(Batches.Message(1, Epoch, 1, 0, 2));
        Assert.Equal([(null, true)], Run(Batches.Message(2, Epoch, 1, 0, 2)));
        Assert.Equal(1, _metrics.DroppedMessages);
        Assert.Equal([FlowKind.Watermark], Told().Select(mark => mark.Kind));
    }

    [Fact]
    public void A_gap_yields_only_its_end_and_asks_to_go_back()
    {
        Assert.Equal([(null, true)], Run(Batches.Message(1, Epoch, 1, 4, 1)));
        Assert.Equal(new FlowRecord(FlowKind.Rewind, "agent-1", Epoch, 1, 0), Assert.Single(Told()));
    }

    [Fact]
    public void A_batch_whose_header_cannot_be_read_holds_its_lane_and_not_another()
    {
        var bad = Batches.Message(1, Epoch, 1, 0, 3);
        var second = Header(bad, 0).TotalLength;
        var corrupted = bad with { Payload = Corrupted(bad, second) };
        Assert.Equal([(0u, false), (null, true)], Run(corrupted));
        Assert.Equal(1, _metrics.RefusedBatches);
        Assert.Equal([(null, true)], Run(Batches.Message(2, Epoch, 1, 3, 1)));
        Assert.Equal(new FlowRecord(FlowKind.Hold, "agent-1", Epoch, 1, 1), Assert.Single(Told()));
        Assert.Equal([(0u, true)], Run(Batches.Message(3, Epoch, 2, 0, 1)));
        Assert.Equal([(1u, false), (2u, true)], Run(Batches.Message(4, Epoch, 1, 0, 3)));
    }

    [Fact]
    public void A_batch_of_a_known_class_that_cannot_be_decoded_is_given_up_and_its_lane_goes_on()
    {
        var bad = Batches.Message(1, Epoch, 1, 0, 3);
        var second = Header(bad, 0).TotalLength;
        _intake.Begin(bad with { Payload = Corrupted(bad, (2 * second) - 5) });
        var given = new List<StagedBatch>();
        while (_intake.TryNext(out var item))
        {
            given.Add(item.Batch!);
        }

        Assert.Equal([0u, 1, 2], given.Select(batch => batch.Name.N));
        Assert.Equal((0, 10u, "undecodable"), (given[1].Rows, given[1].Letter!.Rows, given[1].Letter!.Cause));
        Assert.Equal(10ul, Assert.Single(given[1].Account!.Lines).Lost[(int)LossCause.DeadLetter]);
        Assert.Null(given[2].Letter);
        Assert.Equal("dead_letter", Assert.Single(_alerts.Raised).Kind);
        given.ForEach(batch => batch.Dispose());
    }

    /// <summary>What a captured gateway's key can publish: rows of another role's classes, or of its own in an agent's name.</summary>
    [Theory]
    [InlineData("_gateway-1", "agent_identity", false)]
    [InlineData("_gateway-1", "command", false)]
    [InlineData("_gateway-1", "audit", false)]
    [InlineData("_gateway-1", "process_exec", false)]
    [InlineData("_gateway-1", "agent_session", true)]
    [InlineData("_gateway-1", "system_alert", true)]
    [InlineData("_worker-1", "agent_session", false)]
    [InlineData("_worker-1", "system_alert", true)]
    [InlineData("_services-1", "agent_identity", true)]
    [InlineData("_services-1", "auth_failure", false)]
    [InlineData("agent-1", "agent_identity", false)]
    [InlineData("agent-1", "system_alert", false)]
    [InlineData("agent-1", "process_exec", true)]
    public void A_class_that_its_producer_may_not_say_is_a_dead_letter_and_its_lane_goes_on(string producer, string name, bool taken)
    {
        var eventClass = Catalogue.TryGet(name, out var found) ? found : throw new InvalidOperationException(name);
        for (uint n = 0; n < 2; n++)
        {
            _intake.Begin(OneRow(producer, eventClass, n));
            Assert.True(_intake.TryNext(out var item));
            using var batch = item.Batch!;
            Assert.Equal((n, taken), (batch.Name.N, batch.Letter is null));
            if (!taken)
            {
                Assert.Equal((1u, "foreign_class"), (batch.Letter!.Rows, batch.Letter.Cause));
                Assert.Equal(1ul, Assert.Single(batch.Account!.Lines).Lost[(int)LossCause.DeadLetter]);
            }
        }

        Assert.Equal(taken ? [] : ["foreign_class", "foreign_class"], _alerts.Raised.Select(alert => alert.Kind));
        Assert.Empty(Told());
    }

    private static IncomingMessage OneRow(string producer, EventClass eventClass, uint n)
    {
        using var builder = new BatchBuilder(eventClass);
        Assert.True(builder.TryBeginRow(0));
        builder.SetClaim(n + 1, 1, ClaimColumns.UserSpaceCpu, 0, 0);
        builder.EndRow();
        Assert.True(builder.TryAddLedger(ClaimColumns.UserSpaceCpu, n + 1, n + 1, 1));
        var bytes = new byte[builder.MaxSealedBytes];
        var length = builder.Seal(new BatchName(Epoch, 1, n), new BatchStamp(Epoch, n + 1), BatchCompression.None, bytes);
        return new IncomingMessage(n + 1, new MessageHead(producer, "host-1", Epoch, 1, n, 1, 1, Batches.Noon), bytes.AsMemory(0, length));
    }

    [Fact]
    public void An_agent_that_used_up_its_dead_letters_is_held()
    {
        for (uint n = 0; n < 2; n++)
        {
            var message = Batches.Message(n, Epoch, 1, n, 1);
            Assert.Equal([(n, true)], Run(message with { Payload = Corrupted(message, message.Payload.Length - 5) }));
        }

        Assert.Equal([(null, true)], Run(Batches.Message(3, Epoch, 2, 0, 1)));
        Assert.Equal(FlowKind.Hold, Assert.Single(Told()).Kind);
        Assert.Equal([(0u, true)], Run(Batches.Message(4, Epoch, 2, 0, 1, agent: "agent-2")));
    }

    [Fact]
    public void A_tombstone_is_admitted_and_rows_that_are_stored_come_back()
    {
        var lane = new LaneKey("agent-1", Epoch.Prefix, 1);
        _stored.Add(lane, 1, new StoredRows(3, 11, 18, 8));
        for (uint n = 0; n < 2; n++)
        {
            var bytes = Batches.Tombstone(
                new BatchName(Epoch, 1, n), first: (n * 10) + 1, last: (n * 10) + 10, ringFull: 2, evicted: 8, cpu: 3);
            _intake.Begin(new IncomingMessage(n, new MessageHead("agent-1", "host-1", Epoch, 1, n, 1, 1, Batches.Noon), bytes));
            Assert.True(_intake.TryNext(out var item));
            using var batch = item.Batch!;
            Assert.Equal((0, 1, n == 1), (batch.Rows, batch.LedgerRows, batch.Stored));
            if (n == 1)
            {
                var line = Assert.Single(batch.Account!.Lines);
                Assert.Equal((8u, 2ul, 0ul), (line.Rows, line.Lost[(int)LossCause.RingFull], line.Lost[(int)LossCause.SpoolEvicted]));
                Assert.Equal(8, batch.Account.Header.Rows);
            }
        }
    }

    [Theory]
    [InlineData(4, 250)]
    [InlineData(6, 9)]
    [InlineData(1, 3)]
    public void An_unknown_class_schema_or_format_is_dropped_without_advancing(int at, byte value)
    {
        var message = Batches.Message(1, Epoch, 1, 0, 1);
        Assert.Equal([(null, true)], Run(message with { Payload = Corrupted(message, at, value) }));
        Assert.Equal([(0u, true)], Run(Batches.Message(2, Epoch, 1, 0, 1)));
    }

    [Fact]
    public void A_text_batch_is_decoded_and_the_lane_goes_on_behind_it()
    {
        _intake.Begin(Text(0, """{"seq":1,"pid":7},{"seq":2,"pid":8}"""));
        Assert.True(_intake.TryNext(out var item));
        using (item.Batch)
        {
            Assert.True(item.EndsMessage);
            Assert.Null(item.Batch!.Letter);
            Assert.Equal((2, 1), (item.Batch.Rows, item.Batch.LedgerRows));
        }

        Assert.Equal([(1u, true)], Run(Batches.Message(2, Epoch, 1, 1, 1)));
    }

    [Fact]
    public void Text_that_is_no_batch_is_a_dead_letter_with_its_field()
    {
        _intake.Begin(Text(0, """{"seq":1,"pid":"x"}"""));
        Assert.True(_intake.TryNext(out var item));
        using (item.Batch)
        {
            Assert.Equal("events[0].pid: an integer from 0 to 4294967295", item.Batch!.Letter!.Message);
            Assert.Equal((0, 1), (item.Batch.Rows, item.Batch.LedgerRows));
        }

        Assert.Equal([(1u, true)], Run(Text(1, """{"seq":1}""")));
    }

    [Fact]
    public void Text_of_an_unknown_class_another_name_or_count_is_refused()
    {
        var good = Text(0, """{"seq":1}""");
        foreach (var (from, to) in new[] { ("process_exec", "process_dream"), ("\"n\":0", "\"n\":1") })
        {
            Assert.Equal([(null, true)], Run(good with
            {
                Payload = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(good.Payload.Span).Replace(from, to, StringComparison.Ordinal)),
            }));
        }

        Assert.Equal([(null, true)], Run(good with { Head = good.Head!.Value with { Count = 2 } }));
        Assert.Equal([(0u, true)], Run(good));
    }

    [Fact]
    public void A_batch_under_another_name_than_promised_is_refused()
    {
        var other = Batches.Message(1, Epoch, 2, 0, 1);
        var message = Batches.Message(1, Epoch, 1, 0, 1) with { Payload = other.Payload };
        Assert.Equal([(null, true)], Run(message));
        Assert.Equal([(0u, true)], Run(Batches.Message(2, Epoch, 1, 0, 1)));
    }

    [Fact]
    public void What_a_short_message_has_is_taken_and_the_rest_is_asked_for()
    {
        var message = Batches.Message(1, Epoch, 1, 0, 3);
        var head = message.Head!.Value with { Count = 5 };
        Assert.Equal([(0u, false), (1u, false), (2u, true)], Run(message with { Head = head }));
        Assert.Equal([(3u, true)], Run(Batches.Message(2, Epoch, 1, 3, 1)));
    }

    [Fact]
    public void Bytes_behind_the_promised_batches_are_not_taken()
    {
        var message = Batches.Message(1, Epoch, 1, 0, 3);
        Assert.Equal([(0u, false), (1u, true)], Run(message with { Head = message.Head!.Value with { Count = 2 } }));
        Assert.Equal([(2u, true)], Run(Batches.Message(2, Epoch, 1, 2, 1)));
    }

    [Fact]
    public void Headers_that_cannot_be_read_drop_the_message() =>
        Assert.Equal([(null, true)], Run(Batches.Message(1, Epoch, 1, 0, 1) with { Head = null }));

    [Fact]
    public void An_empty_message_is_refused()
    {
        var message = Batches.Message(1, Epoch, 1, 0, 1);
        Assert.Equal([(null, true)], Run(message with { Payload = default }));
        Assert.Equal(1, _metrics.RefusedBatches);
    }

    [Fact]
    public void Rows_that_recovery_found_are_marked_and_a_part_of_them_is_refused()
    {
        var lane = new LaneKey("agent-1", Epoch.Prefix, 1);
        _stored.Add(lane, 0, new StoredRows(0, 1, 10, 10));
        _stored.Add(lane, 1, new StoredRows(0, 11, 14, 4));
        _intake.Begin(Batches.Message(1, Epoch, 1, 0, 2));
        Assert.True(_intake.TryNext(out var first));
        Assert.True(first.Batch!.Stored);
        first.Batch.Dispose();
        Assert.True(_intake.TryNext(out var second));
        Assert.Null(second.Batch);
        Assert.Equal(1, _metrics.RefusedBatches);
    }

    private List<(uint? N, bool Ends)> Run(IncomingMessage message)
    {
        var items = new List<(uint?, bool)>();
        _intake.Begin(message);
        while (_intake.TryNext(out var item))
        {
            Assert.Equal(message.Sequence, item.Sequence);
            items.Add((item.Batch?.Name.N, item.EndsMessage));
            item.Batch?.Dispose();
        }

        return items;
    }

    private List<FlowRecord> Told()
    {
        var marks = new List<FlowRecord>();
        _marks.Take(marks);
        return marks;
    }

    private static IncomingMessage Text(uint n, string events) => new(
        n,
        new MessageHead("agent-1", "host-1", Epoch, 1, n, 1, 1, Batches.Noon),
        Encoding.UTF8.GetBytes($$"""{"epoch":"{{Epoch}}","lane":1,"n":{{n}},"class":"process_exec","schema":1,"events":[{{events}}]}"""),
        MessageEncoding.Json);

    private static BatchHeader Header(IncomingMessage message, int at) =>
        BatchHeader.TryRead(message.Payload.Span[at..], out var header, out _) ? header : throw new InvalidOperationException();

    private static byte[] Corrupted(IncomingMessage message, int at, byte? value = null)
    {
        var bytes = message.Payload.ToArray();
        bytes[at] = value ?? (byte)~bytes[at];
        return bytes;
    }
}
