using Streams.Bench.Cases;
using Streams.Bench.Running;

namespace Streams.Bench.Target;

/// <summary>A case as a deployment that is not ours may be given it.</summary>
internal static class CappedCase
{
    /// <exception cref="BenchFailure">The case needs a system of its own.</exception>
    public static CaseDefinition Of(CaseDefinition definition, int maxRate)
    {
        if (definition.BeforeRows > 0 || definition.CapacitySeconds > 0)
        {
            throw new BenchFailure($"{definition.Name}: a case that fills tables or looks for the capacity is not for --target");
        }

        // No phase may be faster, whatever the file says; the shape of those below stays.
        Phase[] phases = definition.Max
            ? [new Phase { Kind = PhaseKind.Steady, Seconds = definition.Seconds, Rate = maxRate }]
            : [.. definition.Phases.Select(phase => phase with { Rate = Math.Min(phase.Rate, maxRate), Other = Math.Min(phase.Other, maxRate) })];
        return definition with
        {
            Phases = phases,
            Scheduled = false,
            Latency = false,
            Queries = false,
            Quiet = false,
            RawNative = false,
            // Gates are for the system that the bench starts, on a machine that it knows.
            Gates = [],
        };
    }
}
