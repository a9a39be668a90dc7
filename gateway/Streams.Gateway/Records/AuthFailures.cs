
namespace Streams.Gateway.Records;

/// <summary>
/// Refusals counted by source prefix, claimed agent and reason until they are taken. Bounded, so that an attacker who changes all three
/// buys no more rows than one who does not: what finds no place of its own is counted by reason alone. Thread-safe, and quick: a refusal
/// waits for nothing else.
/// </summary>
internal sealed class AuthFailures
{
    /// <summary>Rows that one interval may give.</summary>
    public const int MaxRows = 256;

    /// <summary>Of them, kept for those that are counted by reason alone; a test compares it with the reasons there are.</summary>
    internal const int MaxReasons = 80;

    private readonly Lock _gate = new();
    private Dictionary<AuthFailure, uint> _counts = [];

    public void Note(in AuthFailure failure)
    {
        lock (_gate)
        {
            var key = _counts.Count < MaxRows - MaxReasons || _counts.ContainsKey(failure) ? failure : failure.ByReason();
            _counts[key] = _counts.TryGetValue(key, out var count) && count != uint.MaxValue ? count + 1 : Math.Max(count, 1);
        }
    }

    /// <summary>What was counted since the last time.</summary>
    public IReadOnlyDictionary<AuthFailure, uint> Take()
    {
        lock (_gate)
        {
            var taken = _counts;
            _counts = [];
            return taken;
        }
    }
}
