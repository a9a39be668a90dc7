using System.Diagnostics;

namespace Streams.Gateway.Auth;

/// <summary>
/// Bounds how many handshakes there are at once in the process, and how many of them are one source's. Who waits for a place longer than the deadline is refused;
/// a source waits for its own share first, so that its queue stands in nobody's way. The table of shares holds only sources that have or wait for a place.
/// </summary>
/// <param name="places">Of all sources.</param>
/// <param name="share">Of one.</param>
/// <param name="deadline">Longest wait.</param>
internal sealed class HandshakeGate(int places, int share, TimeSpan deadline) : IDisposable
{
    /// <summary>Refusal of a source that has its share.</summary>
    public const string SourceFull = "source_handshakes";

    /// <summary>Refusal when all places are taken.</summary>
    public const string Full = "handshake_queue";

    private readonly SemaphoreSlim _places = new(places, places);
    private readonly Lock _gate = new();
    private readonly Dictionary<SourcePrefix, Share> _shares = [];

    public int Free => _places.CurrentCount;

    /// <summary>Sources that have or wait for a place.</summary>
    public int Sources
    {
        get
        {
            lock (_gate)
            {
                return _shares.Count;
            }
        }
    }

    /// <summary>A place, or the reason why there is none.</summary>
    public async Task<(Place? Place, string? Refusal)> EnterAsync(SourcePrefix source)
    {
        var started = Stopwatch.GetTimestamp();
        var own = Join(source);
        if (!await own.Places.WaitAsync(deadline).ConfigureAwait(false))
        {
            Part(source, own);
            return (null, SourceFull);
        }

        var left = deadline - Stopwatch.GetElapsedTime(started);
        if (!await _places.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero).ConfigureAwait(false))
        {
            own.Places.Release();
            Part(source, own);
            return (null, Full);
        }

        return (new Place(() => Leave(source, own)), null);
    }

    public void Dispose() => _places.Dispose();

    private void Leave(SourcePrefix source, Share own)
    {
        _places.Release();
        own.Places.Release();
        Part(source, own);
    }

    private Share Join(SourcePrefix source)
    {
        lock (_gate)
        {
            if (!_shares.TryGetValue(source, out var own))
            {
                _shares[source] = own = new Share(new SemaphoreSlim(share, share));
            }

            own.Users++;
            return own;
        }
    }

    private void Part(SourcePrefix source, Share own)
    {
        lock (_gate)
        {
            if (--own.Users == 0)
            {
                _shares.Remove(source);
            }
        }
    }

    private sealed class Share(SemaphoreSlim places)
    {
        public SemaphoreSlim Places => places;

        public int Users;
    }
}
