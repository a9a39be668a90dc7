using System.Buffers;
using System.Collections.Concurrent;
using Streams.Testing;

namespace Streams.Queue.Tests;

public sealed class FlowTests
{
    private static readonly FlowRecord Watermark = new(FlowKind.Watermark, "agent-1", Messages.Epoch, 3, 42);

    [Fact]
    public async Task Told_records_are_heard_and_questions_are_answered()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        var heard = new ConcurrentQueue<FlowRecord>();
        await using var subscriber = await FlowSubscriber.OpenAsync(gateway, heard.Enqueue);
        Assert.Null(await subscriber.AskAsync(1, "agent-1", TimeSpan.FromSeconds(2)));

        var former = false;
        await using var flow = await FlowPublisher.OpenAsync(worker, 1, (agent, records) =>
        {
            if (agent == "agent-1")
                records.AddRange([Watermark, Watermark with { Lane = 4, N = 0 }]);
            return !former;
        });
        await Eventually.TrueAsync(async () =>
            await subscriber.AskAsync(1, "agent-1", TimeSpan.FromSeconds(1)) is { Count: 2 }, "the owner answers");
        Assert.Equal([Watermark, Watermark with { Lane = 4, N = 0 }], await subscriber.AskAsync(1, "agent-1", TimeSpan.FromSeconds(2)));
        Assert.Equal([], await subscriber.AskAsync(1, "unknown", TimeSpan.FromSeconds(2)));

        // An owner whose time is over: silence, not "never seen".
        former = true;
        Assert.Null(await subscriber.AskAsync(1, "agent-1", TimeSpan.FromMilliseconds(500)));

        var many = Enumerable.Range(0, 5000).Select(n =>
            Watermark with { N = (uint)n, Kind = n % 2 == 0 ? FlowKind.Watermark : FlowKind.Rewind }).ToList();
        await flow.TellAsync(many);
        await flow.TellAsync([]);
        await Eventually.TrueAsync(() => heard.Count == many.Count, "all were heard");
        Assert.Equal(many, heard);
    }

    [Fact]
    public async Task Agents_that_ask_together_share_questions_and_each_gets_its_own_records()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await using var subscriber = await FlowSubscriber.OpenAsync(gateway, _ => { });
        // Agent n has n lanes; those of the last together are more than a message holds, and agent 0 was never seen.
        await using var flow = await FlowPublisher.OpenAsync(worker, 1, (agent, records) =>
        {
            records.AddRange(Lanes(agent));
            return true;
        });
        await Eventually.TrueAsync(
            async () => await subscriber.AskAsync(1, "first-5", TimeSpan.FromSeconds(1)) is { Count: 5 }, "the owner answers");
        var questions = 0;
        await using var counting = await worker.Nats.SubscribeCoreAsync<string>("watermarks.1");
        var count = Task.Run(async () =>
        {
            await foreach (var _ in counting.Msgs.ReadAllAsync())
            {
                Interlocked.Increment(ref questions);
            }
        });
        var agents = Enumerable.Range(0, FlowRecord.MaxAnswerLanes).Select(n => $"{new string('a', 50)}-{n}").ToArray();

        var answers = await Task.WhenAll(agents.Select(agent => subscriber.AskAsync(1, agent, TimeSpan.FromSeconds(10))));

        await counting.UnsubscribeAsync();
        await count;
        // One alone, two of 64, and what the answers had no room for.
        Assert.InRange(questions, 3, agents.Length / 4);
        Assert.All(agents.Zip(answers), pair => Assert.Equal(Lanes(pair.First), pair.Second));
        // Twice in one breath: each has the records once.
        Assert.All(
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => subscriber.AskAsync(1, agents[7], TimeSpan.FromSeconds(10)))),
            answer => Assert.Equal(7, answer!.Count));

        static List<FlowRecord> Lanes(string agent) =>
            [.. Enumerable.Range(0, int.Parse(agent.Split('-')[^1], System.Globalization.CultureInfo.InvariantCulture)).Select(lane => Watermark with { AgentId = agent, Lane = (uint)lane })];
    }

    [Fact]
    public async Task Nobody_who_asks_together_waits_for_long_when_the_owner_is_silent()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await using var subscriber = await FlowSubscriber.OpenAsync(gateway, _ => { });
        var owner = false;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await using var flow = await FlowPublisher.OpenAsync(worker, 1, (_, _) => owner);
        Assert.All(
            await Task.WhenAll(Enumerable.Range(0, 100).Select(n => subscriber.AskAsync(1, $"agent-{n}", TimeSpan.FromMilliseconds(300)))), Assert.Null);
        // One after the other they would wait half a minute.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(15), clock.Elapsed.ToString());
        owner = true;
        Assert.All(
            await Task.WhenAll(Enumerable.Range(0, 100).Select(n => subscriber.AskAsync(1, $"agent-{n}", TimeSpan.FromSeconds(10)))),
            answer => Assert.Empty(answer!));
    }

    [Fact]
    public async Task What_a_handler_throws_ends_neither_side()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        var heard = new ConcurrentQueue<FlowRecord>();
        await using var subscriber = await FlowSubscriber.OpenAsync(
            gateway, record => heard.Enqueue(record.N != 1 ? record : throw new InvalidOperationException("cannot take 1")));
        await using var flow = await FlowPublisher.OpenAsync(worker, 1, (agent, records) =>
        {
            records.Add(agent != "bad" ? Watermark : throw new InvalidOperationException("cannot answer"));
            return true;
        });
        // An answer means that the server knows all subscriptions of both.
        await Eventually.TrueAsync(
            async () => await subscriber.AskAsync(1, "agent-1", TimeSpan.FromSeconds(1)) is { Count: 1 }, "the owner answers");
        await flow.TellAsync([Watermark with { N = 1 }, Watermark with { N = 2 }]);
        await flow.TellAsync([Watermark with { N = 3 }]);
        await Eventually.TrueAsync(() => heard.Count == 2, "the records after it were heard");
        Assert.Null(await subscriber.AskAsync(1, "bad", TimeSpan.FromSeconds(1)));
        Assert.Equal([Watermark], await subscriber.AskAsync(1, "agent-1", TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public void Hostile_messages_are_errors_and_leave_nothing()
    {
        var records = new List<FlowRecord> { Watermark };
        var good = Encode(Watermark, Watermark with { AgentId = "b" });
        for (var length = 1; length < good.Length; length++)
        {
            var whole = length == Encode(Watermark).Length;
            Assert.Equal(whole ? FlowError.None : FlowError.Truncated, FlowCodec.TryRead(good.AsSpan(0, length), records));
            Assert.Equal(whole ? 2 : 1, records.Count);
            records.RemoveRange(1, records.Count - 1);
        }

        Assert.Equal(FlowError.TooLarge, FlowCodec.TryRead(new byte[FlowCodec.MaxMessage + 1], records));
        Assert.Equal(FlowError.UnknownKind, FlowCodec.TryRead(Changed(0, 4), records));
        Assert.Equal(FlowError.BadAgentId, FlowCodec.TryRead(Changed(1, 0), records));
        Assert.Equal(FlowError.BadAgentId, FlowCodec.TryRead(Changed(1, 255), records));
        foreach (var hostile in "*>. \nA\u00e9\0"u8.ToArray())
            Assert.Equal(FlowError.BadAgentId, FlowCodec.TryRead(Changed(4, hostile), records));
        Assert.Single(records);

        byte[] Changed(int at, byte value)
        {
            var copy = good.ToArray();
            copy[at] = value;
            return copy;
        }
    }

    [Fact]
    public void A_hostile_answer_is_an_error_and_leaves_nothing()
    {
        var records = new List<FlowRecord>();
        Assert.Equal(FlowError.Truncated, FlowCodec.TryReadAnswer([], 2, records, out var answered));
        Assert.Equal(0, answered);
        Assert.Equal(FlowError.Truncated, FlowCodec.TryReadAnswer([1, 1, 2], 2, records, out answered));
        Assert.Equal(0, answered);
        // More than were asked for.
        Assert.Equal(FlowError.None, FlowCodec.TryReadAnswer([.. Encode(Watermark), 255], 2, records, out answered));
        Assert.Equal(2, answered);
        Assert.Equal([Watermark], records);
    }

    [Fact]
    public void Random_bytes_never_throw()
    {
        var random = new Random(7);
        var records = new List<FlowRecord>();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(0, 200)];
            random.NextBytes(bytes);
            if (bytes.Length > 2)
            {
                bytes[0] = (byte)random.Next(0, 5);
                bytes[1] = (byte)random.Next(0, 70);
            }

            FlowCodec.TryRead(bytes, records);
        }

        Assert.All(records, record => Assert.True(Subjects.IsAgentId(record.AgentId)));
    }

    private static byte[] Encode(params FlowRecord[] records)
    {
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var record in records)
            FlowCodec.Write(buffer, record);
        return buffer.WrittenSpan.ToArray();
    }
}
