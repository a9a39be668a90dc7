using System.Globalization;
using LibbpfSharp;
using LibbpfSharp.Handles;
using Microsoft.Win32.SafeHandles;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>
/// The directory on a bpffs in which the maps and links of one sensor instance are pinned, locked by this process for as long as it lives
/// (flock on the directory: the kernel drops it with the process).
/// </summary>
internal sealed class PinDirectory : IDisposable
{
    private const string LinkPrefix = "link-";

    private readonly SafeFileHandle _lock;

    private PinDirectory(string path, SafeFileHandle handle)
    {
        Path = path;
        _lock = handle;
    }

    public string Path { get; }

    public bool IsEmpty => !Directory.EnumerateFiles(Path).Any();

    /// <summary>Takes the directory as it is: what a dead agent left in it stays.</summary>
    /// <exception cref="SensorException">A living agent has it.</exception>
    /// <exception cref="BpfException">No bpffs can be had.</exception>
    public static PinDirectory Take(SensorOptions options)
    {
        var path = System.IO.Path.Combine(FileSystem(options), "streams", options.Name);
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var handle = OpenDirectory.Open(path);
        if (!OpenDirectory.TryLock(handle))
        {
            handle.Dispose();
            throw new SensorException($"Another agent uses the sensor \"{options.Name}\" ({path}). Stop it, or give this one another name.");
        }
        return new PinDirectory(path, handle);
    }

    public string File(string map) => System.IO.Path.Combine(Path, map);

    /// <summary>Where the link of a program is pinned. No dots: bpffs refuses them.</summary>
    public string LinkFile(uint generation, string program) =>
        File(string.Create(CultureInfo.InvariantCulture, $"{LinkPrefix}{generation}-{program}"));

    /// <summary>The pinned links, of all generations of programs.</summary>
    public List<(uint Generation, string Path)> Links()
    {
        var links = new List<(uint, string)>();
        foreach (var file in Directory.GetFiles(Path, LinkPrefix + "*"))
        {
            var number = System.IO.Path.GetFileName(file).AsSpan(LinkPrefix.Length);
            var end = number.IndexOf('-');
            _ = uint.TryParse(end < 0 ? number : number[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var generation);
            links.Add((generation, file));
        }
        return links;
    }

    /// <summary>Removes all pins. The identity goes first: without it nobody takes the rest for an instance.</summary>
    public void Clear()
    {
        System.IO.File.Delete(File(SensorMaps.Instance));
        foreach (var file in Directory.GetFiles(Path))
        {
            System.IO.File.Delete(file);
        }
    }

    /// <summary>Removes the pins and the directory, and gives up the lock.</summary>
    public void Remove()
    {
        if (_lock.IsClosed)
        {
            return;
        }
        Clear();
        Directory.Delete(Path);
        Dispose();
    }

    /// <summary>Gives up the lock. The pins stay.</summary>
    public void Dispose()
    {
        if (!_lock.IsClosed)
        {
            OpenDirectory.Unlock(_lock);
            _lock.Dispose();
        }
    }

    private static string FileSystem(SensorOptions options)
    {
        if (BpfFileSystem.IsMounted(options.BpfFileSystem))
        {
            return options.BpfFileSystem;
        }
        try
        {
            BpfFileSystem.Mount(options.BpfFileSystem);
            return options.BpfFileSystem;
        }
        catch (BpfException)
        {
            // A container or a kernel without that directory: a private one will do, pins need not be found by others.
            var own = System.IO.Path.Combine(options.RuntimeDirectory, "bpf");
            Directory.CreateDirectory(own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (!BpfFileSystem.IsMounted(own))
            {
                BpfFileSystem.Mount(own);
            }
            return own;
        }
    }
}
