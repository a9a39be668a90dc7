using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Streams.Schema;

namespace Streams.AgentLink.Spool;

/// <summary>
/// The folder of segments, held by one process at a time. What is found in it at the start belongs to earlier epochs: sealed lanes, which
/// are drained like one's own. Guarded by the lane table's lock, except <see cref="SyncFolder"/>.
/// </summary>
internal sealed class SpoolStore : IDisposable
{
    private const string LockName = "spool.lock";
    private const int WouldBlock = 11; // EWOULDBLOCK of flock(2), as .NET hands it on
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>After a refusal the disk is left alone for so long.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private readonly SafeFileHandle _lock;
    private readonly TimeProvider _time;
    private readonly string _folder;
    private readonly long _keepUntil;
    private long _failedUntil;
    private bool _failing;
    private int _folderDirty;

    private SpoolStore(string folder, long bytes, TimeProvider time, TimeSpan keepLeft, SafeFileHandle handle)
    {
        _keepUntil = time.GetTimestamp() + (long)(keepLeft.TotalSeconds * time.TimestampFrequency);
        _folder = folder;
        _time = time;
        _lock = handle;
        Bytes = bytes;
    }

    internal SpoolCounters Counters { get; } = new();

    /// <summary>The bound of all classes together.</summary>
    internal long Bytes { get; }

    /// <summary>The segments of earlier epochs, oldest epoch first, by lane inside it; the lane table takes them over.</summary>
    internal List<Segment> Found { get; } = [];

    /// <summary>What earlier processes left stays for now, committed or not.</summary>
    internal bool KeepsLeft => _time.GetTimestamp() < _keepUntil;

    /// <summary>The disk refused a moment ago.</summary>
    internal bool Failing => _failing && _time.GetTimestamp() < _failedUntil;

    /// <summary>Makes the folder if need be, locks it and reads every segment's extent.</summary>
    /// <exception cref="SpoolException">It cannot be used, or another process uses it.</exception>
    internal static SpoolStore Open(string folder, long bytes, TimeProvider time, TimeSpan keepLeft = default)
    {
        try
        {
            Directory.CreateDirectory(folder, OwnerOnly);
            var store = new SpoolStore(folder, bytes, time, keepLeft, Lock(folder));
            store.Recover();
            return store;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SpoolException(
                $"spool {folder} cannot be used ({exception.Message}); set state_directory to a folder that the agent may write to");
        }
    }

    /// <summary>Makes the segment of a new lane; null when the disk refuses.</summary>
    internal Segment? TryCreate(SegmentName name)
    {
        try
        {
            var segment = Segment.Create(_folder, name, Counters, _time.GetUtcNow().ToUnixTimeMilliseconds());
            Volatile.Write(ref _folderDirty, 1);
            return segment;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Counters.Failed($"{_folder}: {exception.Message}");
            Refused();
            return null;
        }
    }

    /// <summary>The disk refused: memory is used for a while.</summary>
    internal void Refused()
    {
        _failing = true;
        _failedUntil = _time.GetTimestamp() + (long)(RetryAfter.TotalSeconds * _time.TimestampFrequency);
    }

    /// <summary>The disk took a batch.</summary>
    internal void Accepted() => _failing = false;

    /// <summary>True from a refusal until the disk has taken a batch again.</summary>
    internal bool Degraded => _failing;

    /// <summary>Makes new files' names durable. Thread-safe.</summary>
    /// <returns>False when the disk refuses.</returns>
    internal bool SyncFolder()
    {
        if (Interlocked.Exchange(ref _folderDirty, 0) == 0)
        {
            return true;
        }

        var folder = Libc.open(_folder, Libc.ReadOnly | Libc.CloseOnExec);
        if (folder < 0)
        {
            return false;
        }

        var done = Libc.fsync(folder) == 0;
        _ = Libc.close(folder);
        return done;
    }

    /// <summary>What the last call of libc complained about.</summary>
    internal static string LastError() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());

    public void Dispose() => _lock.Dispose();

    /// <summary>Segments of a folder with their names; leaves out what is none.</summary>
    internal static IEnumerable<(string Path, SegmentName Name)> List(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, "*" + SegmentName.Extension))
        {
            if (SegmentName.TryParse(Path.GetFileName(path), out var name))
            {
                yield return (path, name);
            }
        }
    }

    private static SafeFileHandle Lock(string folder)
    {
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB): gone with the process, however it ends.
            return File.OpenHandle(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (exception.HResult == WouldBlock)
        {
            throw new SpoolException($"another process uses the spool {folder}; stop it or set another state_directory");
        }
    }

    private void Recover()
    {
        foreach (var leftover in Directory.GetFiles(_folder, "*" + SegmentName.Extension + Segment.TemporaryExtension))
        {
            File.Delete(leftover);
        }

        var started = new Dictionary<Epoch, long>();
        foreach (var (path, name) in List(_folder))
        {
            if (TryOpen(path, name) is not { } segment)
            {
                continue;
            }

            if (segment.Next == 0)
            {
                segment.Delete();
                continue;
            }

            segment.Seal();
            Found.Add(segment);
            started[name.Epoch] = Math.Min(started.GetValueOrDefault(name.Epoch, long.MaxValue), segment.Created);
        }

        Found.Sort((a, b) =>
        {
            var byStart = started[a.Name.Epoch].CompareTo(started[b.Name.Epoch]);
            return byStart != 0 ? byStart
                : a.Name.Epoch != b.Name.Epoch ? a.Name.Epoch.Prefix.CompareTo(b.Name.Epoch.Prefix) : a.Name.Lane.CompareTo(b.Name.Lane);
        });
    }

    /// <summary>Null for a file of a newer build, or one that the disk does not give: it is left where it is.</summary>
    private Segment? TryOpen(string path, SegmentName name)
    {
        try
        {
            return Segment.Open(path, name, Counters, readOnly: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Counters.Failed($"{path}: {exception.Message}");
            return null;
        }
    }
}
