namespace Streams.Gateway.Auth;

/// <summary>
/// How many of something each source holds at once. A source that holds none is not in the table, so the table is no larger than the number of places that are
/// taken, which is bounded where they are given. Thread-safe.
/// </summary>
/// <param name="most">Of one source.</param>
internal sealed class SourcePlaces(int most)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SourcePrefix, int> _taken = [];

    /// <summary>Sources that hold a place.</summary>
    public int Sources
    {
        get
        {
            lock (_gate)
            {
                return _taken.Count;
            }
        }
    }

    /// <summary>Takes a place; false when the source has as many as it may. Each is given back by <see cref="Leave"/>.</summary>
    public bool TryEnter(SourcePrefix source)
    {
        lock (_gate)
        {
            var taken = _taken.GetValueOrDefault(source);
            if (taken >= most)
            {
                return false;
            }

            _taken[source] = taken + 1;
            return true;
        }
    }

    public void Leave(SourcePrefix source)
    {
        lock (_gate)
        {
            if (_taken[source] == 1)
            {
                _taken.Remove(source);
            }
            else
            {
                _taken[source]--;
            }
        }
    }
}
