namespace Streams.Services.Registry;

/// <summary>
/// How many agents may be put into quarantine: <see cref="Most"/> in an hour, in the whole fleet. A gateway that was captured reports copies
/// where there are none; a copy that is there is seen again with its next session. Thread-safe.
/// </summary>
internal sealed class QuarantineLimit(TimeProvider time)
{
    /// <summary>A machine image that was copied with its keys is one name; this is for a hundred of those.</summary>
    public const int Most = 100;

    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Queue<long> _taken = new(Most);

    public bool TryTake()
    {
        lock (_gate)
        {
            while (_taken.TryPeek(out var oldest) && time.GetElapsedTime(oldest) >= Window)
            {
                _taken.Dequeue();
            }

            if (_taken.Count == Most)
            {
                return false;
            }

            _taken.Enqueue(time.GetTimestamp());
            return true;
        }
    }
}
