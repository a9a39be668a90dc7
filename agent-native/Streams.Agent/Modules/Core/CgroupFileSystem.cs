using System.Globalization;
using System.Runtime.InteropServices;
using Streams.Agent.Processes;

namespace Streams.Agent.Modules.Core;

/// <summary>
/// Where cgroup2 is mounted and what the ids of its groups are. The id that bpf_get_current_cgroup_id() gives is the inode number of the
/// group's folder (kernfs, 64 bit).
/// </summary>
internal static class CgroupFileSystem
{
    /// <summary>Mount point of cgroup2 in a mounts file (fields: device, folder, type ...), or null. Blanks in a folder's name are \040 there.</summary>
    public static string? Mount(IEnumerable<string> mounts)
    {
        foreach (var line in mounts)
        {
            var fields = line.Split(' ');
            if (fields.Length > 2 && fields[2] == "cgroup2")
                return fields[1].Replace("\\040", " ", StringComparison.Ordinal);
        }

        return null;
    }

    /// <summary>The cgroup2 path in a /proc/PID/cgroup file ("0::/a/b"), or null.</summary>
    public static string? OwnPath(IEnumerable<string> cgroups)
    {
        foreach (var line in cgroups)
        {
            if (line.StartsWith("0::", StringComparison.Ordinal))
                return line[3..];
        }

        return null;
    }

    /// <summary>Id of the group that this process is in, or null when there is no cgroup2.</summary>
    public static ulong? OwnId() =>
        Mount(File.ReadLines("/proc/self/mounts")) is { } mount && OwnPath(File.ReadLines("/proc/self/cgroup")) is { } path ? Inode(mount + path) : null;

    /// <summary>Id of a group given as a number, as a path in the file system, or as a path below the mount. Null when there is no such group.</summary>
    public static ulong? Id(string text, string? mount)
    {
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            return id;
        if (mount is null)
            return null;
        return text == mount || text.StartsWith(mount + "/", StringComparison.Ordinal) ? Inode(text) : Inode(mount + text);
    }

    private static ulong? Inode(string folder)
    {
        Span<byte> status = stackalloc byte[Libc.StatxBytes];
        if (Libc.statx(Libc.CurrentDirectory, folder, 0, Libc.StatxInode, ref MemoryMarshal.GetReference(status)) != 0)
            return null;
        return MemoryMarshal.Read<ulong>(status[Libc.StatxInodeOffset..]);
    }
}
