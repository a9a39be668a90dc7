using LibbpfSharp;
using LibbpfSharp.Handles;
using Microsoft.Win32.SafeHandles;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>
/// The directory on a bpffs in which the maps of one sensor instance are pinned, locked by this process for as long as it
/// lives (flock on the directory: the kernel drops it with the process).
/// </summary>
internal sealed class PinDirectory : IDisposable
{
    private readonly SafeFileHandle _lock;

    private PinDirectory(string path, SafeFileHandle handle)
    {
        Path = path;
        _lock = handle;
    }

    public string Path { get; }

    /// <summary>Epoch of the instance that was found and removed, as hexadecimal; null when there was none.</summary>
    public string? RemovedEpoch { get; private set; }

    /// <summary>Takes the directory, removing what a dead agent left in it.</summary>
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
        var directory = new PinDirectory(path, handle);
        directory.RemoveStale();
        return directory;
    }

    public string File(string map) => System.IO.Path.Combine(Path, map);

    /// <summary>Removes the pins and the directory, and gives up the lock.</summary>
    public void Dispose()
    {
        if (_lock.IsClosed)
        {
            return;
        }
        RemovePins();
        Directory.Delete(Path);
        _lock.Dispose();
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

    private void RemoveStale()
    {
        if (!Directory.EnumerateFiles(Path).Any())
        {
            return;
        }
        RemovedEpoch = "unreadable";
        try
        {
            using var map = BpfMap.OpenPinned(File(SensorMaps.Instance));
            var identity = new LibbpfSharp.Maps.ArrayMap<InstanceIdentity>(map)[0];
            RemovedEpoch = Convert.ToHexStringLower(identity.Epoch);
        }
        catch (Exception error) when (error is BpfException or ArgumentException)
        {
            // Half made, or of another layout: removed all the same.
        }
        RemovePins();
    }

    private void RemovePins()
    {
        foreach (var file in Directory.GetFiles(Path))
        {
            System.IO.File.Delete(file);
        }
    }
}
