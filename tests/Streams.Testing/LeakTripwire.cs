using System.Globalization;
using Xunit;

namespace Streams.Testing;

/// <summary>
/// Counts what this process holds (children, sockets, other descriptors) and fails if there is more later. Meant for tests that run
/// alone in their
/// collection: another test's sockets would be counted too.
/// </summary>
public sealed class LeakTripwire
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    private readonly Holdings _before = Holdings.Now();

    private LeakTripwire()
    {
    }

    public static LeakTripwire Set() => new();

    /// <summary>Fails if more is held than when the wire was set, after some seconds for what is being closed.</summary>
    /// <param name="otherDescriptors">How many more descriptors that are neither children nor sockets are allowed (a runtime opens some
    /// lazily).</param>
    public async Task AssertNothingLeftAsync(int otherDescriptors = 8)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        await Eventually.ValueAsync(
            () => Task.FromResult(Holdings.Now()),
            now => now.Children <= _before.Children && now.Sockets <= _before.Sockets && now.Others <= _before.Others + otherDescriptors,
            $"everything is given back; before: {_before}",
            Settling).ConfigureAwait(false);
    }

    /// <summary>Fails if the process still runs (a zombie counts as ended).</summary>
    public static void AssertEnded(int pid) => Assert.False(IsRunning(pid), $"process {pid} still runs");

    /// <summary>Whether a process of that id runs and is no zombie.</summary>
    public static bool IsRunning(int pid) => Stat(pid) is { State: not 'Z' };

    // "pid (comm) state ppid ..."; comm may hold blanks and brackets, so count from the last bracket (proc(5)).
    private static (char State, int Parent)? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private readonly record struct Holdings(int Children, int Sockets, int Others)
    {
        public static Holdings Now()
        {
            int sockets = 0, others = 0;
            foreach (var link in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
            {
                // A socket's link target is "socket:[inode]"; a descriptor closed meanwhile has none.
                if (new FileInfo(link).LinkTarget is { } target)
                    _ = target.Contains("socket:", StringComparison.Ordinal) ? sockets++ : others++;
            }

            var children = 0;
            foreach (var directory in Directory.EnumerateDirectories("/proc"))
            {
                if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                    && Stat(pid) is { } stat && stat.Parent == Environment.ProcessId && stat.State != 'Z')
                {
                    children++;
                }
            }

            return new Holdings(children, sockets, others);
        }
    }
}
