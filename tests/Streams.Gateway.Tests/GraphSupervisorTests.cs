using System.Collections.Concurrent;
using Streams.Stages;
using Streams.Testing;

namespace Streams.Gateway.Tests;

public sealed class GraphSupervisorTests
{
    private static readonly GraphBackoff Quick = new() { First = TimeSpan.FromMilliseconds(5), Longest = TimeSpan.FromMilliseconds(20) };

    [Fact]
    public async Task Starts_again_after_a_failure_a_completion_and_a_failed_start()
    {
        var ends = new ConcurrentQueue<GraphEnd>();
        var runs = 0;
        var last = new TaskCompletionSource();
        await using var supervisor = new GraphSupervisor("g", _ => Interlocked.Increment(ref runs) switch
        {
            1 => Task.FromResult(new GraphRun(Task.FromException(new IOException("run")), () => { }, () => { })),
            2 => Task.FromResult(new GraphRun(Task.CompletedTask, () => { }, () => { })),
            3 => Task.FromException<GraphRun>(new IOException("start")),
            _ => Task.FromResult(new GraphRun(last.Task, () => last.TrySetResult(), () => last.TrySetCanceled())),
        }, ends.Enqueue, Quick);
        supervisor.Start();
        await Eventually.TrueAsync(() => supervisor.State == GraphState.Running && runs == 4, "the fourth runs");
        Assert.Equal(["run", null, "start"], ends.Select(end => end.Failure?.Message));
        Assert.Equal([1L, 2L, 3L], ends.Select(end => end.Failures));
        await supervisor.StopAsync(TimeSpan.FromSeconds(5));
        Assert.Equal((GraphState.Stopped, 3), (supervisor.State, ends.Count));
        Assert.True(last.Task.IsCompletedSuccessfully, "it was drained, not aborted");
    }

    [Fact]
    public async Task A_graph_that_does_not_drain_in_time_is_aborted()
    {
        var aborted = new TaskCompletionSource();
        await using var supervisor = new GraphSupervisor(
            "g", _ => Task.FromResult(new GraphRun(aborted.Task, () => { }, () => aborted.TrySetCanceled())), _ => Assert.Fail("it was asked to"), Quick);
        supervisor.Start();
        await Eventually.TrueAsync(() => supervisor.State == GraphState.Running, "it runs");
        await supervisor.StopAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(GraphState.Stopped, supervisor.State);
        Assert.True(aborted.Task.IsCanceled);
    }

    [Fact]
    public async Task Stopping_while_it_recovers_drains_it_as_soon_as_it_is_there()
    {
        var entered = new TaskCompletionSource();
        var recovered = new TaskCompletionSource();
        var done = new TaskCompletionSource();
        await using var supervisor = new GraphSupervisor("g", async _ =>
        {
            entered.SetResult();
            await recovered.Task;
            return new GraphRun(done.Task, () => done.TrySetResult(), () => done.TrySetCanceled());
        }, _ => Assert.Fail("it was asked to"), Quick);
        supervisor.Start();
        await entered.Task;
        var stop = supervisor.StopAsync(TimeSpan.FromSeconds(5));
        recovered.SetResult();
        await stop;
        Assert.True(done.Task.IsCompletedSuccessfully);
    }

    [Fact]
    public void Waits_double_up_to_a_bound_and_begin_again_after_a_long_run()
    {
        var backoff = GraphBackoff.Default;
        var waits = new List<double>();
        var wait = TimeSpan.Zero;
        for (var i = 0; i < 9; i++)
        {
            wait = backoff.Next(wait, TimeSpan.Zero);
            waits.Add(wait.TotalMilliseconds);
        }

        Assert.Equal([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000], waits);
        Assert.Equal(backoff.First, backoff.Next(wait, backoff.ResetAfter));
    }
}
