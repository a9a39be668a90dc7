using System.Globalization;

namespace Streams.Bench.Cases;

/// <summary>The bound of one key of the report.</summary>
/// <param name="AtMost">The value must not be above the bound; otherwise not below.</param>
/// <param name="Aim">What it should become; null when the case names none.</param>
internal sealed record Gate(string Key, double Bound, bool AtMost, double? Aim)
{
    public bool Holds(double value) => AtMost ? value <= Bound : value >= Bound;

    public bool Reaches(double value) => Aim is not { } aim || (AtMost ? value <= aim : value >= aim);

    public string Text => string.Create(CultureInfo.InvariantCulture, $"{(AtMost ? "at most" : "at least")} {Bound:#,0.###}");
}
