using System.Collections.Concurrent;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Gateway.Auth;

/// <summary>Ephemeral key pairs made ahead of time, off the path of a connection. Each is given out once.</summary>
internal sealed class EphemeralSupply(KeyArena arena) : IThreadPoolWorkItem, IDisposable
{
    /// <summary>A quarter second of the handshakes that one core can do.</summary>
    public const int Stock = 64;

    private readonly ConcurrentQueue<EphemeralKey> _keys = new();
    private int _filling;
    private volatile bool _disposed;

    /// <summary>A fresh pair, or null when the arena is full. The caller owns it.</summary>
    public EphemeralKey? Take()
    {
        if (_keys.TryDequeue(out var key))
        {
            if (_keys.Count < Stock / 2)
            {
                Fill();
            }

            return key;
        }

        Fill();
        return EphemeralKey.TryGenerate(arena);
    }

    public void Fill()
    {
        if (!_disposed && Interlocked.Exchange(ref _filling, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (!_disposed && _keys.Count < Stock && EphemeralKey.TryGenerate(arena) is { } key)
        {
            _keys.Enqueue(key);
        }

        Volatile.Write(ref _filling, 0);
        if (_disposed)
        {
            Empty();
        }
    }

    public void Dispose()
    {
        _disposed = true;
        // A filling that is under way empties by itself when it sees the flag.
        SpinWait.SpinUntil(() => Volatile.Read(ref _filling) == 0, TimeSpan.FromSeconds(1));
        Empty();
    }

    private void Empty()
    {
        while (_keys.TryDequeue(out var key))
        {
            key.Dispose();
        }
    }
}
