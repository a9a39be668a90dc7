using System.Collections.Concurrent;
using System.Text;
using Streams.Testing;

namespace Streams.Queue.Tests.Control;

/// <summary>The agents' command queues between services and gateway, each with its own role's key.</summary>
public sealed class CommandQueueTests : IAsyncLifetime
{
    private readonly NatsProcess _nats = new();
    private QueueConnection _services = null!;
    private QueueConnection _gateway = null!;

    public async Task InitializeAsync()
    {
        await _nats.InitializeAsync();
        await using var worker = await _nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        _services = await _nats.OpenAsync(QueueRole.Services);
        _gateway = await _nats.OpenAsync(QueueRole.Gateway);
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        await _gateway.DisposeAsync();
        await _nats.DisposeAsync();
    }

    [Fact]
    public async Task Commands_of_an_agent_are_read_in_order_and_others_are_not_seen()
    {
        var mailbox = new CommandMailbox(_services);
        var reader = new CommandReader(_gateway);
        Assert.Null(await reader.ReadAsync("agent-1", 0));
        var first = await mailbox.PostAsync("agent-1", "a", "one"u8.ToArray());
        await mailbox.PostAsync("agent-2", "a", "other"u8.ToArray());
        var second = await mailbox.PostAsync("agent-1", "b", "two"u8.ToArray());

        var read = (await reader.ReadAsync("agent-1", 0))!.Value;
        Assert.Equal((first.Sequence, "one"), (read.Sequence, Encoding.ASCII.GetString(read.Document.Span)));
        read = (await reader.ReadAsync("agent-1", read.Sequence + 1))!.Value;
        Assert.Equal((second.Sequence, "two"), (read.Sequence, Encoding.ASCII.GetString(read.Document.Span)));
        Assert.Null(await reader.ReadAsync("agent-1", read.Sequence + 1));

        await mailbox.PurgeAsync("agent-1", second.Sequence);
        Assert.Equal(second.Sequence, (await reader.ReadAsync("agent-1", 0))!.Value.Sequence);
        Assert.NotNull(await reader.ReadAsync("agent-2", 0));
    }

    [Fact]
    public async Task One_more_than_may_wait_for_an_agent_is_refused_and_the_others_have_room()
    {
        var mailbox = new CommandMailbox(_services);
        for (var i = 0; i < Topology.CommandsPerAgent; i++)
            Assert.Equal(CommandPostOutcome.Stored, (await mailbox.PostAsync("agent-1", $"c{i}", "x"u8.ToArray())).Outcome);
        Assert.Equal(CommandPostOutcome.AgentFull, (await mailbox.PostAsync("agent-1", "more", "x"u8.ToArray())).Outcome);
        Assert.Equal(CommandPostOutcome.Stored, (await mailbox.PostAsync("agent-2", "more", "x"u8.ToArray())).Outcome);
        // A repetition of one that is there is that one.
        Assert.Equal(CommandPostOutcome.Stored, (await mailbox.PostAsync("agent-1", "c0", "x"u8.ToArray())).Outcome);
    }

    [Fact]
    public async Task A_full_stream_says_so()
    {
        var mailbox = new CommandMailbox(_services);
        var large = new byte[200 * 1024];
        var outcome = CommandPostOutcome.Stored;
        for (var i = 0; i < 100 && outcome == CommandPostOutcome.Stored; i++)
            outcome = (await mailbox.PostAsync($"agent-{i}", "c", large)).Outcome;
        Assert.Equal(CommandPostOutcome.QueueFull, outcome);
    }

    [Fact]
    public async Task A_nudge_is_heard()
    {
        var heard = new ConcurrentQueue<string>();
        await using var listener = await NudgeListener.OpenAsync(_gateway, heard.Enqueue);
        await _gateway.PingAsync();
        await new CommandMailbox(_services).NudgeAsync("agent-1");
        await Eventually.TrueAsync(() => heard.Contains("agent-1"), "the nudge");
    }

    [Fact]
    public async Task Responses_are_handled_once_each_again_when_they_were_not_and_make_room()
    {
        var publisher = new ResponsePublisher(_gateway);
        for (var i = 0; i < 3; i++)
            Assert.True(await publisher.TryPublishAsync($"agent-{i}", Encoding.ASCII.GetBytes($"r{i}")));
        var handled = new ConcurrentQueue<string>();
        await using (ResponseReader.Start(_services, (agent, bytes, _) =>
        {
            handled.Enqueue($"{agent} {Encoding.ASCII.GetString(bytes.Span)}");
            return Task.CompletedTask;
        }))
        {
            await Eventually.TrueAsync(() => handled.Count == 3, "three responses");
            Assert.Equal(["agent-0 r0", "agent-1 r1", "agent-2 r2"], handled);
            await Eventually.TrueAsync(async () => await WaitingAsync() == 0, "room");
        }

        Assert.True(await publisher.TryPublishAsync("agent-1", "later"u8.ToArray()));
        await using (ResponseReader.Start(_services, (agent, bytes, _) =>
        {
            handled.Enqueue(Encoding.ASCII.GetString(bytes.Span));
            return Task.CompletedTask;
        }))
        {
            await Eventually.TrueAsync(() => handled.Last() == "later", "the reader goes on where it was");
        }

        Assert.Equal(4, handled.Count);
    }

    [Fact]
    public async Task A_reader_goes_on_with_a_stream_that_was_made_anew()
    {
        var publisher = new ResponsePublisher(_gateway);
        var handled = new ConcurrentQueue<string>();
        await using var reader = ResponseReader.Start(_services, (_, bytes, _) =>
        {
            handled.Enqueue(Encoding.ASCII.GetString(bytes.Span));
            return Task.CompletedTask;
        });
        Assert.True(await publisher.TryPublishAsync("agent-1", "before"u8.ToArray()));
        await Eventually.TrueAsync(() => handled.Contains("before"), "the first");
        await _nats.RestartAsync(wipe: true);
        await using (var worker = await _nats.OpenAsync(QueueRole.Worker))
            await Topology.CreateAsync(worker, Servers.Small());
        await Eventually.TrueAsync(async () => await publisher.TryPublishAsync("agent-1", "after"u8.ToArray()), "the gateway is back");
        await Eventually.TrueAsync(() => handled.Contains("after"), "the reader is back", TimeSpan.FromSeconds(30));
    }

    private async Task<long> WaitingAsync()
    {
        await using var worker = await _nats.OpenAsync(QueueRole.Worker);
        return (await Topology.FindAsync(worker, Topology.Responses, default))!.State.Messages;
    }
}
