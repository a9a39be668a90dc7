using System.ComponentModel;
using System.Diagnostics;
using Streams.Local.Interop;
using Streams.Local.Processes;

namespace Streams.Local;

/// <summary>
/// A child that dies with us. It is started as `setpriv --pdeathsig KILL setsid PROGRAM ...` (both of util-linux, which every Debian
/// has; each replaces itself,
/// so the pid is the program's): the kernel kills it when our process ends, even by SIGKILL, and a Ctrl-C in the terminal reaches only
/// us, so that we
/// stop the children in order.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan OutputAfterExit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseLimit = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly ChildOptions _options;
    private readonly ChildLog _log;
    private readonly Lock _gate = new();
    private bool _exited;

    private ChildProcess(Process process, ChildOptions options, ChildLog log)
    {
        _process = process;
        _options = options;
        _log = log;
        Id = process.Id;
        Exited = ObserveAsync();
    }

    public string Name => _options.Name;

    /// <summary>Process id.</summary>
    public int Id { get; }

    /// <summary>Ends, never fails, when the child has ended and its output is in the log.</summary>
    public Task<ChildExit> Exited { get; }

    /// <summary>Starts the child.</summary>
    /// <exception cref="LocalException">The program was not found or the system refused to start it.</exception>
    public static ChildProcess Start(ChildOptions options)
    {
        var start = Command(options);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.LogPath))!);
        var log = new ChildLog(options.LogPath, options.LogLimitBytes, options.OnLine);
        try
        {
            var process = SpawnThread.Run(() => Process.Start(start)!);
            process.StandardInput.Close();
            return new ChildProcess(process, options, log);
        }
        catch (Win32Exception error)
        {
            log.Dispose();
            throw new LocalException($"{options.Name} cannot be started: {error.Message}", error);
        }
    }

    /// <summary>Asks with SIGTERM, insists with SIGKILL after the deadline.</summary>
    public async Task<ChildExit> StopAsync(TimeSpan deadline)
    {
        Signal(Libc.SigTerm);
        if (await Task.WhenAny(Exited, Task.Delay(deadline)).ConfigureAwait(false) != Exited)
            Kill();
        return await Exited.ConfigureAwait(false);
    }

    /// <summary>SIGKILL, now.</summary>
    public void Kill() => Signal(Libc.SigKill);

    /// <summary>SIGSTOP: for tests of what a stalled child does to others. Returns when it stands still, which on a busy machine is later than the signal.</summary>
    public void Pause()
    {
        Signal(Libc.SigStop);
        SpinWait.SpinUntil(() => Exited.IsCompleted || IsStopped(), PauseLimit);
    }

    /// <summary>SIGCONT after <see cref="Pause"/>.</summary>
    public void Resume() => Signal(Libc.SigCont);

    /// <summary>Kills the child if it still runs and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        Kill();
        await Exited.ConfigureAwait(false);
        _process.Dispose();
        _log.Dispose();
    }

    private bool IsStopped()
    {
        try
        {
            foreach (var thread in Directory.GetDirectories($"/proc/{Id}/task"))
            {
                // proc_pid_stat(5): the state is behind the name, which is in parentheses and may have some itself.
                var stat = File.ReadAllText(Path.Combine(thread, "stat"));
                if (stat[stat.LastIndexOf(')') + 2] is not ('T' or 't'))
                    return false;
            }

            return true;
        }
        catch (IOException)
        {
            // A thread, or all of them, ended meanwhile.
            return false;
        }
    }

    private static ProcessStartInfo Command(ChildOptions options)
    {
        var start = new ProcessStartInfo
        {
            FileName = "setpriv",
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = options.WorkingDirectory ?? "",
        };
        var arguments = start.ArgumentList;
        if (options.CgroupDirectory is { } cgroup)
        {
            // The shell moves itself ("0" is the writer) before it becomes the program, so no packet of the child is ever sent outside
            // its cgroup.
            start.FileName = "/bin/sh";
            arguments.Add("-c");
            arguments.Add("echo 0 > \"$0\" || exit 126; exec \"$@\"");
            arguments.Add(Path.Combine(cgroup, "cgroup.procs"));
            arguments.Add("setpriv");
        }

        if (options.User is not null)
        {
            // First, because a change of user clears the parent-death signal (prctl(2)).
            var id = ServiceUser.Id.ToString(System.Globalization.CultureInfo.InvariantCulture);
            foreach (var argument in new[] { "--reuid", id, "--regid", id, "--clear-groups", "--no-new-privs", "setpriv" })
                arguments.Add(argument);
        }

        arguments.Add("--pdeathsig");
        arguments.Add("KILL");
        arguments.Add("setsid");
        arguments.Add(Programs.Resolve(options.Name, options.FileName));
        foreach (var argument in options.Arguments)
            arguments.Add(argument);
        foreach (var (name, value) in options.Environment)
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }

        return start;
    }

    private async Task<ChildExit> ObserveAsync()
    {
        var output = Task.WhenAll(_log.PumpAsync(_process.StandardOutput.BaseStream), _log.PumpAsync(_process.StandardError.BaseStream));
        await _process.WaitForExitAsync().ConfigureAwait(false);
        lock (_gate)
            _exited = true;
        // A grandchild may hold the pipe open for ever: what came until now is enough.
        await Task.WhenAny(output, Task.Delay(OutputAfterExit)).ConfigureAwait(false);
        return new ChildExit(Name, _process.ExitCode, _log.LastLine, _options.LogPath);
    }

    // After the exit was observed the kernel may give the pid to a stranger.
    private void Signal(int signal)
    {
        lock (_gate)
        {
            if (!_exited)
                Libc.Signal(Id, signal);
        }
    }
}
