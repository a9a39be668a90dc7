using System.Globalization;

namespace Streams.Bench.Chaos.Faults;

/// <summary>One planned fault.</summary>
/// <param name="Target">Index of the source, where the fault is one of a source.</param>
/// <param name="Duration">From its begin to its end: for a kill, the time until the process is started again.</param>
/// <param name="Gap">Quiet time before it.</param>
internal sealed record Fault(FaultKind Kind, int Target, TimeSpan Duration, TimeSpan Gap)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Kind}{(Kind is FaultKind.KillSource or FaultKind.PauseSource ? $" {Target}" : "")} for {Duration.TotalSeconds:0.0} s after {Gap.TotalSeconds:0.0} s");
}
