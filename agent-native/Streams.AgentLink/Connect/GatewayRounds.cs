namespace Streams.AgentLink.Connect;

/// <summary>
/// Which gateways are tried, in which order. A round tries each once, in random order, so that the agents of a gateway that is gone spread over the others; the
/// back-off is between rounds. Who said when to come back is left out until then. Not thread-safe.
/// </summary>
internal sealed class GatewayRounds
{
    private readonly Uri[] _gateways;
    private readonly long[] _notBefore;
    private readonly int[] _order;
    private readonly Random _random;
    private readonly TimeProvider _time;

    internal GatewayRounds(IReadOnlyList<Uri> gateways, Random random, TimeProvider time)
    {
        _gateways = [.. gateways];
        _notBefore = new long[_gateways.Length];
        _order = [.. Enumerable.Range(0, _gateways.Length)];
        _random = random;
        _time = time;
    }

    /// <summary>The gateways of one round; at least one.</summary>
    internal IEnumerable<int> Round()
    {
        _random.Shuffle(_order);
        var now = _time.GetTimestamp();
        var tried = false;
        foreach (var gateway in _order)
        {
            if (_notBefore[gateway] <= now)
            {
                tried = true;
                yield return gateway;
            }
        }

        if (!tried)
        {
            yield return Array.IndexOf(_notBefore, _notBefore.Min());
        }
    }

    internal Uri this[int gateway] => _gateways[gateway];

    internal int Count => _gateways.Length;

    /// <summary>There was no session; zero when it did not say when to come back.</summary>
    internal void Refused(int gateway, TimeSpan retryAfter)
    {
        var wait = retryAfter < Backoff.MaxRetryAfter ? retryAfter : Backoff.MaxRetryAfter;
        _notBefore[gateway] = wait > TimeSpan.Zero ? _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency) : 0;
    }

    /// <summary>How long no gateway wants to be asked; zero when one may be.</summary>
    internal TimeSpan Wish()
    {
        var soonest = _notBefore.Min();
        var now = _time.GetTimestamp();
        return soonest <= now ? TimeSpan.Zero : _time.GetElapsedTime(now, soonest);
    }
}
