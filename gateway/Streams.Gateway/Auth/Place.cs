namespace Streams.Gateway.Auth;

/// <summary>A place of something bounded. It is given back once, whoever is first to say so.</summary>
internal sealed class Place(Action leave)
{
    private int _left;

    public void Leave()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
        {
            leave();
        }
    }
}
