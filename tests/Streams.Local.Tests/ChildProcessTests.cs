using System.Diagnostics;
using Streams.Testing;

namespace Streams.Local.Tests;

public sealed class ChildProcessTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Exit_code_last_line_and_log_are_observed()
    {
        await using var child = Start("echo first; echo second >&2; sleep 0.2; echo the reason; exit 3");
        var exit = await child.Exited.WaitAsync(Soon);
        Assert.Equal((3, "the reason"), (exit.Code, exit.LastLine));
        Assert.Contains("sh-test ended with exit code 3: the reason", exit.ToString(), StringComparison.Ordinal);
        var log = await File.ReadAllTextAsync(_directory.File("child.log"));
        Assert.Contains("first\n", log, StringComparison.Ordinal);
        Assert.Contains("second\n", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_asks_first_and_insists_after_the_deadline()
    {
        await using var polite = Start("trap 'echo bye; exit 0' TERM; echo ready; while true; do sleep 0.05; done", out var politeReady);
        await politeReady.WaitAsync(Soon);
        Assert.Equal((0, "bye"), await CodeAndLine(polite.StopAsync(Soon)));

        await using var stubborn = Start("trap '' TERM; echo ready; while true; do sleep 0.05; done", out var stubbornReady);
        await stubbornReady.WaitAsync(Soon);
        var exit = await stubborn.StopAsync(TimeSpan.FromMilliseconds(300));
        Assert.Equal(128 + 9, exit.Code);
        Assert.Contains("signal 9", exit.ToString(), StringComparison.Ordinal);
        await stubborn.StopAsync(Soon);
    }

    [Fact]
    public async Task Children_die_with_their_parent_even_by_kill_9()
    {
        // The parent must be a process that can be killed: this assembly, started as a program (see Program).
        var pidFile = _directory.File("pid");
        var start = new ProcessStartInfo("dotnet", [typeof(Program).Assembly.Location, _directory.Path]);
        using var parent = Process.Start(start)!;
        await Eventually.TrueAsync(() => File.Exists(pidFile) && File.ReadAllText(pidFile).EndsWith('\n'), "the child runs",
            TimeSpan.FromSeconds(30));
        var pid = int.Parse(File.ReadAllText(pidFile), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(LeakTripwire.IsRunning(pid));

        // The thread that asked for the child has ended; the child must outlive it, and not its parent.
        await Task.Delay(300);
        Assert.True(LeakTripwire.IsRunning(pid));
        parent.Kill();
        await Eventually.TrueAsync(() => !LeakTripwire.IsRunning(pid), "the child died with its parent");
    }

    [Fact]
    public async Task Log_is_bounded()
    {
        const string Lines = "i=0; while [ $i -lt 3000 ]; do echo \"line $i 0123456789012345678901234567890123456789\"; i=$((i+1)); done";
        await using (var child = ChildProcess.Start(Shell(Lines) with { LogLimitBytes = 20_000 }))
            await child.Exited.WaitAsync(Soon);
        Assert.InRange(new FileInfo(_directory.File("child.log")).Length, 1, 20_000 + 16_384);
        Assert.InRange(new FileInfo(_directory.File("child.log.1")).Length, 1, 20_000 + 16_384);
        Assert.Equal(["child.log", "child.log.1"], Directory.GetFiles(_directory.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Missing_program_says_how_to_get_it()
    {
        var error = Assert.Throws<LocalException>(() =>
            ChildProcess.Start(new ChildOptions { Name = "x", FileName = "no-such-program-anywhere", LogPath = _directory.File("l") }));
        Assert.Contains("no-such-program-anywhere", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Child_joins_its_cgroup_before_its_first_instruction()
    {
        using var groups = Cgroups.Create();
        if (groups.Note is not null)
        {
            // Not root, or no cgroup2: the note is the behaviour.
            Assert.Null(groups.Add("a"));
            return;
        }

        var group = groups.Add("a")!;
        Assert.NotEqual(0UL, group.Id);
        await using (var child =
            ChildProcess.Start(Shell("cat /proc/self/cgroup; stat -c %i " + group.Directory) with { CgroupDirectory = group.Directory }))
        {
            Assert.Equal(0, (await child.Exited.WaitAsync(Soon)).Code);
            var log = await File.ReadAllTextAsync(_directory.File("child.log"));
            Assert.Contains($"/streams-{Environment.ProcessId}/a\n", log, StringComparison.Ordinal);
            Assert.Contains($"\n{group.Id}\n", log, StringComparison.Ordinal);
        }

        groups.Dispose();
        Assert.False(Directory.Exists(group.Directory));
    }

    private static async Task<(int Code, string Line)> CodeAndLine(Task<ChildExit> exit)
    {
        var ended = await exit;
        return (ended.Code, ended.LastLine);
    }

    private ChildOptions Shell(string script) =>
        new() { Name = "sh-test", FileName = "/bin/sh", Arguments = ["-c", script], LogPath = _directory.File("child.log") };

    private ChildProcess Start(string script) => ChildProcess.Start(Shell(script));

    private ChildProcess Start(string script, out Task ready)
    {
        var source = new TaskCompletionSource();
        ready = source.Task;
        return ChildProcess.Start(Shell(script) with
        {
            OnLine = line =>
            {
                if (line == "ready")
                    source.TrySetResult();
            },
        });
    }
}
