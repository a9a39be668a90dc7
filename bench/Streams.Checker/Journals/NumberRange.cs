namespace Streams.Checker.Journals;

/// <summary>Consecutive numbers, both ends included.</summary>
internal readonly record struct NumberRange(ulong First, ulong Last)
{
    public long Count => Last < First ? 0 : (long)(Last - First + 1);

    /// <summary>What of <paramref name="all"/> is in none of <paramref name="taken"/>, which are disjoint and in order.</summary>
    public static IEnumerable<NumberRange> Without(NumberRange all, IEnumerable<NumberRange> taken)
    {
        var next = all.First;
        foreach (var range in taken)
        {
            if (range.Last < next)
            {
                continue;
            }

            if (range.First > all.Last)
            {
                break;
            }

            if (range.First > next)
            {
                yield return new NumberRange(next, range.First - 1);
            }

            next = range.Last + 1;
        }

        if (next <= all.Last)
        {
            yield return new NumberRange(next, all.Last);
        }
    }

    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}
