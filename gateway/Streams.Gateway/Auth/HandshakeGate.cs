namespace Streams.Gateway.Auth;

/// <summary>Bounds how many handshakes there are at once in the process; who waits for a place longer than the deadline is refused.</summary>
internal sealed class HandshakeGate(int places, TimeSpan deadline) : IDisposable
{
    private readonly SemaphoreSlim _places = new(places, places);

    public int Free => _places.CurrentCount;

    public Task<bool> EnterAsync(CancellationToken cancel) => _places.WaitAsync(deadline, cancel);

    public void Leave() => _places.Release();

    public void Dispose() => _places.Dispose();
}
