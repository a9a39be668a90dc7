using System.Globalization;
using Streams.Local.Interop;

namespace Streams.Local;

/// <summary>A cgroup of one child.</summary>
/// <param name="Directory">Its directory below the cgroup2 mount.</param>
/// <param name="Id">The number that `bpf_get_current_cgroup_id` gives for its processes: the inode number of the directory.</param>
public sealed record Cgroup(string Directory, ulong Id);

/// <summary>
/// One cgroup v2 per child, so that the sensor can tell our own traffic from everybody's. Where that is not possible (no cgroup2 mount,
/// no right to write there) the
/// children run in our own cgroup and <see cref="Note"/> says why.
/// </summary>
public sealed class Cgroups : IDisposable
{
    private const string Prefix = "streams-";

    private readonly string? _root;
    private readonly List<Cgroup> _all = [];

    private Cgroups(string? root, string? note)
    {
        _root = root;
        Note = note;
    }

    /// <summary>Why there are no cgroups, one line; null when there are.</summary>
    public string? Note { get; }

    public IReadOnlyList<Cgroup> All => _all;

    /// <summary>Prepares a directory for this process; removes those that ended instances left.</summary>
    public static Cgroups Create()
    {
        if (Mount(File.ReadLines("/proc/mounts")) is not { } mount)
            return new Cgroups(null, "no cgroup2 is mounted: network events of our own processes are not filtered");
        var parent = Path.Join(mount, OwnPath(File.ReadLines("/proc/self/cgroup")));
        if (!Directory.Exists(parent))
            parent = mount;
        try
        {
            RemoveAbandoned(parent);
            return new Cgroups(Directory.CreateDirectory(
                Path.Combine(parent, Prefix + Environment.ProcessId.ToString(CultureInfo.InvariantCulture))).FullName, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new Cgroups(null,
                $"no cgroup can be made in {parent} ({error.Message}): network events of our own processes are not filtered");
        }
    }

    /// <summary>A cgroup for the child, or null (see <see cref="Note"/>).</summary>
    public Cgroup? Add(string name)
    {
        if (_root is null)
            return null;
        var directory = Directory.CreateDirectory(Path.Combine(_root, name)).FullName;
        var group = new Cgroup(directory, Libc.Inode(directory));
        _all.Add(group);
        return group;
    }

    /// <summary>Removes the groups; one that still has a process stays for the next start to remove.</summary>
    public void Dispose()
    {
        if (_root is not null)
            TryRemove(_root);
    }

    internal static string? Mount(IEnumerable<string> mounts)
    {
        foreach (var line in mounts)
        {
            var fields = line.Split(' ');
            if (fields.Length > 2 && fields[2] == "cgroup2")
                return fields[1].Replace("\\040", " ", StringComparison.Ordinal);
        }

        return null;
    }

    // The line of the unified hierarchy begins with "0::".
    internal static string OwnPath(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (line.StartsWith("0::", StringComparison.Ordinal))
                return line[3..];
        }

        return "/";
    }

    private static void RemoveAbandoned(string parent)
    {
        foreach (var directory in Directory.EnumerateDirectories(parent, Prefix + "*"))
        {
            var pid = Path.GetFileName(directory)[Prefix.Length..];
            if (int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out _) && !Directory.Exists("/proc/" + pid))
                TryRemove(directory);
        }
    }

    // rmdir only: the files in a cgroup directory belong to the kernel and go with it.
    private static void TryRemove(string directory)
    {
        try
        {
            foreach (var child in Directory.EnumerateDirectories(directory))
                TryRemove(child);
            Libc.RemoveDirectory(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It went away under us, or is another user's: nothing of ours is left in it.
        }
    }
}
