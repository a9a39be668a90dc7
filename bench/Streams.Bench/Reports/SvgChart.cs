using System.Globalization;
using System.Text;

namespace Streams.Bench.Reports;

/// <summary>A line of a chart.</summary>
internal sealed record SvgLine(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Lines over time as SVG that needs nothing else to be looked at.</summary>
internal static class SvgChart
{
    private const int Width = 720;
    private const int Height = 260;
    private const int Left = 70;
    private const int Right = 16;
    private const int Top = 34;
    private const int Bottom = 42;
    private const int Grid = 4;

    // Told apart on white and on black, and by people who do not see red and green.
    private static readonly string[] Colours = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];

    /// <param name="unit">Of the y axis.</param>
    public static string Write(string title, string unit, IReadOnlyList<SvgLine> lines)
    {
        var points = lines.SelectMany(static line => line.Points).ToArray();
        // Whole seconds at every line of the grid.
        var maxX = Grid * Math.Max(1, Math.Ceiling(points.Select(static point => point.X).DefaultIfEmpty(1).Max() / Grid));
        var maxY = Ceiling(points.Select(static point => point.Y).DefaultIfEmpty(1).Max());
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"11\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"white\"/>\n<text x=\"{Left}\" y=\"14\" font-size=\"13\">{Escape(title)}</text>\n");
        for (var i = 0; i <= Grid; i++)
        {
            var y = Y(maxY * i / Grid, maxY);
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{y:0.#}\" x2=\"{Width - Right}\" y2=\"{y:0.#}\" stroke=\"#ddd\"/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{Short(maxY * i / Grid)}</text>\n");
            var x = X(maxX * i / Grid, maxX);
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{maxX * i / Grid:0.#}</text>\n");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Right}\" y=\"{Height - 8}\" text-anchor=\"end\">seconds</text>\n<text x=\"6\" y=\"{Top - 8}\">{Escape(unit)}</text>\n");
        var at = Left;
        for (var i = 0; i < lines.Count; i++)
        {
            var colour = Colours[i % Colours.Length];
            var path = string.Join(' ', lines[i].Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X, maxX):0.#},{Y(point.Y, maxY):0.#}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{path}\"/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{at}\" y=\"{Height - 8}\" fill=\"{colour}\">{Escape(lines[i].Name)}</text>\n");
            at += 24 + (lines[i].Name.Length * 7);
        }

        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>The next 1, 2, 2.5, 4, 5 or 10 times a power of ten: lines at its quarters have short numbers.</summary>
    public static double Ceiling(double value)
    {
        if (value <= 0)
        {
            return 1;
        }

        var power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        foreach (var step in new[] { 1, 2, 2.5, 4, 5, 10 })
        {
            if (step * power >= value)
            {
                return step * power;
            }
        }

        return 10 * power;
    }

    private static double X(double value, double max) => Left + ((Width - Left - Right) * Math.Max(0, value) / max);

    private static double Y(double value, double max) => Height - Bottom - ((Height - Top - Bottom) * Math.Max(0, value) / max);

    private static string Short(double value) => value switch
    {
        >= 1e9 => (value / 1e9).ToString("0.##", CultureInfo.InvariantCulture) + " G",
        >= 1e6 => (value / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + " M",
        >= 1e3 => (value / 1e3).ToString("0.##", CultureInfo.InvariantCulture) + " k",
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
