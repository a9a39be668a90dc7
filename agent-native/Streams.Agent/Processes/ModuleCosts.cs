using System.Buffers.Text;
using System.Globalization;
using Streams.Agent.Modules.Core;

namespace Streams.Agent.Processes;

/// <summary>
/// CPU time per module, summed over its threads (/proc/self/task/TID/schedstat, nanoseconds). Threads that nobody registered: the thread
/// pool and the socket engine work for the connection, all others (main, garbage collector, signals) for Core.
/// </summary>
/// <remarks>Thread-safe. A thread that ends between two samples takes what it used since the last one with it; pool threads live for many samples.</remarks>
internal sealed class ModuleCosts(ThreadRegistry registry, string taskDirectory = "/proc/self/task")
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, ulong> _lastByThread = [];
    private readonly Dictionary<string, ulong> _nanosecondsByModule = [];
    private readonly HashSet<int> _alive = [];
    private readonly List<int> _ended = [];

    /// <summary>Reads all threads; afterwards <see cref="CpuMicroseconds"/> answers as of now.</summary>
    public void Sample()
    {
        lock (_gate)
            SampleThreads();
    }

    /// <summary>CPU time of a module since the agent started, as of the last sample.</summary>
    public ulong CpuMicroseconds(string module)
    {
        lock (_gate)
            return _nanosecondsByModule.GetValueOrDefault(module) / 1000;
    }

    private void SampleThreads()
    {
        _alive.Clear();
        foreach (var path in Directory.EnumerateDirectories(taskDirectory))
        {
            if (!int.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var thread)
                || !TryReadNanoseconds(path, out var used))
            {
                continue;
            }

            _alive.Add(thread);
            var module = registry.Find(thread) ?? Guess(path);
            var before = _lastByThread.GetValueOrDefault(thread);
            _lastByThread[thread] = used;
            // A thread id that was given out anew starts below the old one's time.
            _nanosecondsByModule[module] = _nanosecondsByModule.GetValueOrDefault(module) + (used >= before ? used - before : used);
        }

        Forget();
    }

    private static bool TryReadNanoseconds(string path, out ulong value)
    {
        Span<byte> bytes = stackalloc byte[128];
        value = 0;
        return TryRead(path + "/schedstat", bytes, out var length) && Utf8Parser.TryParse(bytes[..length], out value, out _);
    }

    private static string Guess(string path)
    {
        Span<byte> bytes = stackalloc byte[64];
        if (TryRead(path + "/comm", bytes, out var length))
        {
            var name = bytes[..length];
            if (name.StartsWith(".NET TP"u8) || name.StartsWith(".NET Sock"u8) || name.StartsWith(".NET Timer"u8))
                return ModuleName.Comm;
        }

        return ModuleName.Core;
    }

    private static bool TryRead(string path, Span<byte> bytes, out int length)
    {
        length = 0;
        try
        {
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            length = RandomAccess.Read(handle, bytes, 0);
            return length > 0;
        }
        catch (IOException)
        {
            return false; // The thread has ended meanwhile.
        }
    }

    private void Forget()
    {
        _ended.Clear();
        foreach (var thread in _lastByThread.Keys)
        {
            if (!_alive.Contains(thread))
                _ended.Add(thread);
        }

        foreach (var thread in _ended)
            _lastByThread.Remove(thread);
    }
}
