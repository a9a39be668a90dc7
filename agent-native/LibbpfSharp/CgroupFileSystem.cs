using LibbpfSharp.Interop;

namespace LibbpfSharp;

/// <summary>The cgroup v2 hierarchy, wherever it is mounted.</summary>
public static class CgroupFileSystem
{
    /// <summary>The mount point of cgroup2, or null. Not always /sys/fs/cgroup: with v1 beside it often /sys/fs/cgroup/unified.</summary>
    public static string? FindMount()
    {
        foreach (var line in File.ReadLines("/proc/self/mounts"))
        {
            var fields = line.Split(' ');
            if (fields.Length > 2 && fields[2] == "cgroup2")
            {
                return fields[1].Replace("\\040", " ", StringComparison.Ordinal);
            }
        }
        return null;
    }

    /// <summary>The id that programs see for a cgroup: the inode number of its directory (kernfs, 64-bit kernels).</summary>
    /// <exception cref="BpfException">The directory does not exist.</exception>
    public static unsafe ulong IdOf(string directory)
    {
        // struct stat is 144 bytes on x86-64, 128 on AArch64; st_ino is the second word on both.
        var buffer = stackalloc ulong[32];
        if (Libc.stat(directory, buffer) < 0)
        {
            BpfException.ThrowLastError($"stat {directory}");
        }
        return buffer[1];
    }

    /// <summary>The cgroup v2 directory of a process, or null.</summary>
    public static string? DirectoryOf(int pid)
    {
        var mount = FindMount();
        if (mount is null)
        {
            return null;
        }
        foreach (var line in File.ReadLines($"/proc/{pid}/cgroup"))
        {
            if (line.StartsWith("0::", StringComparison.Ordinal))
            {
                return mount + line[3..].TrimEnd('/');
            }
        }
        return null;
    }
}
