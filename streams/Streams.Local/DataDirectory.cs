using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Streams.Local.Interop;

namespace Streams.Local;

/// <summary>
/// The directory of one instance (mode 0700), held by a lock for as long as this object lives. The kernel frees the lock when the
/// process ends, however it ends.
/// </summary>
public sealed class DataDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly SafeFileHandle _lock;

    private DataDirectory(string path, SafeFileHandle handle)
    {
        Path = path;
        _lock = handle;
    }

    /// <summary>Where `streams up` keeps its data unless told otherwise; root's own home would be closed to the servers' user.</summary>
    public static string Default => Environment.UserName == "root" ? "/var/lib/streams" : System.IO.Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify),
        ".local", "share", "streams");

    /// <summary>Absolute path.</summary>
    public string Path { get; }

    public string Nats => Sub("nats");

    public string ClickHouse => Sub("clickhouse");

    public string Keys => Sub("keys");

    public string Agent => Sub("agent");

    public string Log => Sub("log");

    public string Run => Sub("run");

    /// <summary>Creates the directory if need be and takes its lock.</summary>
    /// <exception cref="LocalException">Not a directory, not writable, or another process holds it (its pid is named).</exception>
    public static DataDirectory Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(full, OwnerOnly);
            var handle = TakeLock(full);
            // Ours now, and not before: the servers of an instance that runs pass through it (0710), and must go on to.
            if ((File.GetUnixFileMode(full) & ~OwnerOnly) != 0)
                File.SetUnixFileMode(full, OwnerOnly);
            return new DataDirectory(full, handle);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LocalException($"The data directory {full} cannot be used: {error.Message} Give another with --data.", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    /// <summary>A sub-directory, created with mode 0700.</summary>
    public string Sub(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name), OwnerOnly).FullName;

    private static SafeFileHandle TakeLock(string directory)
    {
        var path = System.IO.Path.Combine(directory, "lock");
        var handle = Libc.OpenLockFile(path);
        if (handle.IsInvalid)
            throw new UnauthorizedAccessException($"{path} cannot be opened for writing.");
        if (!Libc.TryLock(handle))
        {
            using (handle)
                throw new LocalException(
                    $"The data directory {directory} is in use by process {Holder(handle)}. "
                    + "Stop it, or give another directory with --data.");
        }

        RandomAccess.SetLength(handle, 0);
        RandomAccess.Write(handle, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"), 0);
        return handle;
    }

    private static string Holder(SafeFileHandle handle)
    {
        Span<byte> text = stackalloc byte[32];
        var pid = Encoding.ASCII.GetString(text[..RandomAccess.Read(handle, text, 0)]).Trim();
        return pid.Length == 0 ? "(unknown)" : pid;
    }
}
