using Streams.Testing;

namespace Streams.Local.Tests;

public sealed class SupervisorTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly TempDirectory _directory = new();
    private readonly List<string> _said = [];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Waits_double_up_to_thirty_seconds_and_begin_anew_after_a_long_life()
    {
        var backoff = new RestartBackoff();
        double[] waits = [.. Enumerable.Range(0, 8).Select(_ => backoff.Next(TimeSpan.FromSeconds(59)).TotalSeconds)];
        Assert.Equal([0.5, 1, 2, 4, 8, 16, 30, 30], waits);
        Assert.Equal(0.5, backoff.Next(TimeSpan.FromMinutes(1)).TotalSeconds);
        Assert.Equal(1, backoff.Next(TimeSpan.Zero).TotalSeconds);
    }

    [Fact]
    public async Task A_killed_child_comes_back_and_does_not_take_the_others_with_it()
    {
        await using var supervisor = Supervise();
        await supervisor.StartAsync(Child("a"));
        await supervisor.StartAsync(Child("b"));
        var (a, b) = (supervisor.Statuses[0].Pid, supervisor.Statuses[1].Pid);
        Kill(a!.Value);
        await Eventually.TrueAsync(() => supervisor.Statuses[0] is { State: ChildState.Running, Restarts: 1 }, "a runs again");
        Assert.NotEqual(a, supervisor.Statuses[0].Pid);
        Assert.Equal(b, supervisor.Statuses[1].Pid);
        Assert.Contains("signal 9", supervisor.Statuses[0].LastFailure, StringComparison.Ordinal);
        Assert.Equal(["b", "a"], (await supervisor.StopAsync()).Select(exit => exit.Name));
    }

    [Fact]
    public async Task A_first_start_that_fails_is_told_and_a_later_one_is_tried_again()
    {
        await using var supervisor = Supervise();
        await Assert.ThrowsAsync<LocalException>(() =>
            supervisor.StartAsync(Child("a") with { Start = _ => throw new LocalException("no") }));

        var starts = 0;
        await supervisor.StartAsync(Child("b") with
        {
            Start = _ => Interlocked.Increment(ref starts) == 2 ? throw new LocalException("not now") : Task.FromResult(Run("b")),
        });
        Kill(supervisor.Statuses[1].Pid!.Value);
        await Eventually.TrueAsync(() => supervisor.Statuses[1] is { State: ChildState.Running, Restarts: 2 }, "b runs again");
        Assert.Equal("not now", supervisor.Statuses[1].LastFailure);
    }

    [Fact]
    public async Task A_child_waits_for_what_it_needs()
    {
        var may = true;
        await using var supervisor = Supervise();
        await supervisor.StartAsync(
            Child("server") with { Start = _ => may ? Task.FromResult(Run("server")) : throw new LocalException("away") });
        await supervisor.StartAsync(Child("client") with { Needs = ["server"] });
        Volatile.Write(ref may, false);
        Kill(supervisor.Statuses[0].Pid!.Value);
        await Eventually.TrueAsync(() => supervisor.Statuses[0].LastFailure == "away", "the server is away");
        Kill(supervisor.Statuses[1].Pid!.Value);
        await Eventually.TrueAsync(() => supervisor.Statuses[1].State == ChildState.Waiting, "the client waits");
        Volatile.Write(ref may, true);
        await Eventually.TrueAsync(() => supervisor.Statuses[1].State == ChildState.Running, "the client runs", TimeSpan.FromSeconds(30));
        Assert.Equal(ChildState.Running, supervisor.Statuses[0].State);
    }

    [Fact]
    public async Task A_child_that_hangs_is_killed_after_its_probes_failed_and_not_while_a_hold_stands()
    {
        string? hold = "disk";
        var sick = true;
        await using var supervisor = new Supervisor(() => { }, () => Volatile.Read(ref hold), _said.Add);
        await supervisor.StartAsync(Child("a") with
        {
            Probe = _ => Task.FromResult(Volatile.Read(ref sick) ? "wedged" : null),
            ProbeInterval = TimeSpan.FromMilliseconds(20),
            ProbeFailures = 3,
        });
        await Eventually.TrueAsync(() => supervisor.Statuses[0].Ailment == "wedged", "the ailment is seen");
        await Task.Delay(300);
        Assert.Equal(0, supervisor.Statuses[0].Restarts);
        Volatile.Write(ref hold, null);
        await Eventually.TrueAsync(() => supervisor.Statuses[0].LastFailure is not null, "it was killed");
        Volatile.Write(ref sick, false);
        await Eventually.TrueAsync(() => supervisor.Statuses[0].State == ChildState.Running && supervisor.Statuses[0].Restarts > 0,
            "it runs again");
        Assert.Contains("it hung: wedged", supervisor.Statuses[0].LastFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_a_probe_or_a_listener_throws_the_child_stays_supervised()
    {
        static void Throw() => throw new InvalidOperationException("told");
        await using var supervisor = new Supervisor(Throw, () => throw new InvalidOperationException("held"), _ => Throw());
        var sick = true;
        await supervisor.StartAsync(Child("a") with
        {
            Probe = _ => Volatile.Read(ref sick) ? throw new InvalidCastException("unexpected") : Task.FromResult<string?>(null),
            ProbeInterval = TimeSpan.FromMilliseconds(20),
            ProbeFailures = 3,
        });
        await Eventually.TrueAsync(() => supervisor.Statuses[0].LastFailure is not null, "it was killed");
        Volatile.Write(ref sick, false);
        Assert.Contains("it hung: unexpected", supervisor.Statuses[0].LastFailure, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => supervisor.Statuses[0].State == ChildState.Running, "it runs again");
        Kill(supervisor.Statuses[0].Pid!.Value);
        await Eventually.TrueAsync(() => supervisor.Statuses[0] is { State: ChildState.Running, LastFailure: var why }
            && why!.Contains("signal 9"), "and again");
    }

    [Fact]
    public async Task A_probe_that_ignores_its_deadline_is_an_ailment()
    {
        await using var supervisor = Supervise();
        await supervisor.StartAsync(Child("a") with
        {
            Probe = _ => new TaskCompletionSource<string?>().Task,
            ProbeInterval = TimeSpan.FromMilliseconds(50),
            ProbeFailures = 2,
        });
        await Eventually.TrueAsync(() => supervisor.Statuses[0].LastFailure?.Contains("no answer", StringComparison.Ordinal) == true,
            "it was killed");
    }

    [Fact]
    public async Task A_restart_goes_in_order_and_ends_one_that_does_not_obey()
    {
        await using var supervisor = Supervise();
        await supervisor.StartAsync(Child("a") with
        {
            Start = _ => Task.FromResult(Run("a", "/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done")),
        });
        await supervisor.StartAsync(Child("b"));
        await supervisor.StartAsync(Child("c"));
        var c = supervisor.Statuses[2].Pid;
        await supervisor.RestartAsync(["a", "b"], "a test", CancellationToken.None);
        Assert.All(supervisor.Statuses.Take(2), child => Assert.Equal((ChildState.Running, 1), (child.State, child.Restarts)));
        Assert.Equal(["a was stopped: a test", "b was stopped: a test"], _said.Select(line => line.Split(';')[0]));
        Assert.Equal(c, supervisor.Statuses[2].Pid);
    }

    private static void Kill(int pid) => System.Diagnostics.Process.GetProcessById(pid).Kill();

    private Supervisor Supervise() => new(() => { }, () => null, _said.Add);

    private ChildSpecification Child(string name) => new() { Name = name, Start = _ => Task.FromResult(Run(name)), StopDeadline = Soon };

    private ChildProcess Run(string name) => Run(name, "/bin/sleep", "600");

    private ChildProcess Run(string name, string program, params string[] arguments) => ChildProcess.Start(new ChildOptions
    {
        Name = name,
        FileName = program,
        Arguments = arguments,
        LogPath = _directory.File(name + ".log"),
    });
}
