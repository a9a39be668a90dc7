using System.Collections.Concurrent;
using System.Text;
using Streams.Checker;
using Streams.Queue;
using Streams.Schema;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>
/// An agent and its gateway in one: batches of process_exec over the real queue, under the agent's id and epoch. Lane i stamps as CPU i;
/// every batch says that <see cref="Lost"/> rows before it were lost to a full ring.
/// </summary>
internal sealed class Producer : IAsyncDisposable
{
    public const int Rows = 40;
    public const uint Lost = 2;

    private static int _agents;

    private readonly Publisher _publisher;
    private readonly ConcurrentQueue<PublishResult> _results;
    private readonly Dictionary<uint, uint> _next = [];

    private Producer(string agentId, Publisher publisher, ConcurrentQueue<PublishResult> results)
    {
        AgentId = agentId;
        _publisher = publisher;
        _results = results;
    }

    public string AgentId { get; }

    public Epoch Epoch { get; } = Epoch.NewRandom();

    public ulong Generation { get; set; } = 1;

    public long ReceivedAt { get; set; } = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;

    public int Partition => Subjects.PartitionOf(AgentId, WorkerStack.Partitions);

    /// <summary>Batches made so far, in all lanes.</summary>
    public uint Batches => (uint)_next.Values.Sum(n => n);

    /// <summary>What was stamped so far.</summary>
    public IReadOnlyList<StampedSequence> Stamped =>
        [.. _next.Select(lane => new StampedSequence(Epoch.Prefix, "process_exec", (ushort)lane.Key, lane.Value * (ulong)(Rows + Lost)))];

    public static async Task<Producer> OpenAsync(WorkerStack stack, int? partition = null)
    {
        string agent;
        do
        {
            agent = $"agent-{Interlocked.Increment(ref _agents)}";
        }
        while (partition is { } wanted && Subjects.PartitionOf(agent, WorkerStack.Partitions) != wanted);
        var results = new ConcurrentQueue<PublishResult>();
        var publisher = await Publisher.OpenAsync(
            stack.Gateway, Subjects.PartitionOf(agent, WorkerStack.Partitions), new PublisherOptions(), results.Enqueue);
        return new Producer(agent, publisher, results);
    }

    /// <summary>The next <paramref name="messages"/> messages of a lane, each of <paramref name="batches"/> batches.</summary>
    public async Task SendAsync(uint lane, int messages, uint batches = 2)
    {
        for (var i = 0; i < messages; i++)
        {
            var first = _next.GetValueOrDefault(lane);
            await SendFromAsync(lane, first, batches);
        }
    }

    /// <summary>One message of batches that were made before (or are skipped on purpose).</summary>
    public async Task SendFromAsync(uint lane, uint first, uint batches, Func<byte[], byte[]>? change = null)
    {
        _next[lane] = Math.Max(_next.GetValueOrDefault(lane), first + batches);
        var payload = new List<byte>();
        for (var n = first; n < first + batches; n++)
        {
            payload.AddRange(Fakes.Batches.Seal(new BatchName(Epoch, lane, n), Rows, (n * (ulong)(Rows + Lost)) + 1, Lost, (ushort)lane));
        }

        await PublishAsync(lane, first, batches, change is null ? payload.ToArray() : change([.. payload]));
    }

    /// <summary>The same batches as the agent sends them when its spool has evicted their rows.</summary>
    public async Task SendTombstonesAsync(uint lane, uint first, uint batches)
    {
        _next[lane] = Math.Max(_next.GetValueOrDefault(lane), first + batches);
        var payload = new List<byte>();
        for (var n = first; n < first + batches; n++)
        {
            var seq = (n * (ulong)(Rows + Lost)) + 1;
            payload.AddRange(Fakes.Batches.Tombstone(
                new BatchName(Epoch, lane, n), seq, seq + Rows + Lost - 1, ringFull: Lost, evicted: Rows, (ushort)lane));
        }

        await PublishAsync(lane, first, batches, payload.ToArray());
    }

    /// <summary>The next message of a lane as a JSON agent sends it: one batch of <see cref="Rows"/> rows, numbered by the lane as a CPU.</summary>
    public async Task SendTextAsync(uint lane, Func<string, string>? change = null)
    {
        var n = _next.GetValueOrDefault(lane);
        _next[lane] = n + 1;
        var first = (n * (ulong)(Rows + Lost)) + 1;
        var rows = string.Join(',', Enumerable.Range(0, Rows).Select(i => FormattableString.Invariant(
            $$"""{"time":{{ReceivedAt}},"seq":{{first + Lost + (ulong)i}},"cpu":{{lane}},"pid":{{i + 2}},"filename":"/bin/tool","argv":"tool\u0000-v"}""")));
        var text = FormattableString.Invariant(
            $$$"""{"epoch":"{{{Epoch}}}","lane":{{{lane}}},"n":{{{n}}},"class":"process_exec","schema":1,"ledger":[{"cpu":{{{lane}}},"first":{{{first}}},"last":{{{first + Rows + Lost - 1}}},"rows":{{{Rows}}},"lost":{"ring_full":{{{Lost}}}}}],"events":[{{{rows}}}]}""");
        await PublishAsync(lane, n, 1, Encoding.UTF8.GetBytes(change is null ? text : change(text)), MessageEncoding.Json);
    }

    private ValueTask<ulong> PublishAsync(uint lane, uint first, uint batches, byte[] payload, MessageEncoding encoding = MessageEncoding.Binary)
    {
        var headers = new MessageHeaders
        {
            Epoch = Epoch,
            Lane = lane,
            First = first,
            Count = batches,
            Class = PriorityClass.Event,
            ReceivedAt = ReceivedAt,
            Generation = Generation,
            Encoding = encoding,
            Catalogue = Catalogue.Version,
            Host = "host-" + AgentId,
        };
        return _publisher.PublishAsync(AgentId, headers, payload);
    }

    /// <summary>Waits for the queue's acknowledgements; all must be good.</summary>
    public async Task FlushAsync()
    {
        await _publisher.DrainAsync();
        Assert.All(_results, result =>
            Assert.True(result.Outcome is PublishOutcome.Acknowledged or PublishOutcome.Duplicate, result.ToString()));
    }

    public ValueTask DisposeAsync() => _publisher.DisposeAsync();
}
