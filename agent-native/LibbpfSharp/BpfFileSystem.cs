using LibbpfSharp.Interop;

namespace LibbpfSharp;

/// <summary>The file system in which maps, programs and links are pinned.</summary>
public static class BpfFileSystem
{
    /// <summary>Where systems mount it.</summary>
    public const string DefaultPath = "/sys/fs/bpf";

    /// <summary>True when the path is on a bpffs.</summary>
    public static unsafe bool IsMounted(string path)
    {
        // struct statfs is 120 bytes on 64-bit Linux; f_type comes first.
        var buffer = stackalloc long[32];
        return Libc.statfs(path, buffer) == 0 && buffer[0] == Libc.BPF_FS_MAGIC;
    }

    /// <summary>Mounts a bpffs on an existing directory.</summary>
    /// <exception cref="BpfException">EPERM without CAP_SYS_ADMIN; ENOENT.</exception>
    public static void Mount(string path)
    {
        if (Libc.mount("bpf", path, "bpf", 0, null) < 0)
        {
            BpfException.ThrowLastError($"mount bpffs on {path}");
        }
    }

    /// <summary>Unmounts it; what is pinned there and used by no one is gone.</summary>
    /// <param name="evenInUse">Takes it away at once also while something in it is open; the kernel ends it with the last user.</param>
    /// <exception cref="BpfException">EBUSY, unless <paramref name="evenInUse"/>; EINVAL when nothing is mounted there.</exception>
    public static void Unmount(string path, bool evenInUse = false)
    {
        const int MNT_DETACH = 2; // linux/fs.h
        if (Libc.umount2(path, evenInUse ? MNT_DETACH : 0) < 0)
        {
            BpfException.ThrowLastError($"unmount bpffs from {path}");
        }
    }
}
