using System.Text.Json.Nodes;
using System.Xml.Linq;
using Streams.Bench.Cases;
using Streams.Bench.Reports;
using Streams.Bench.Running;
using Streams.Bench.Watching;

namespace Streams.Bench.Tests;

public sealed class ReportTests
{
    private const string Text = """
        [load]
        [[phase]]
        kind = "max"
        seconds = 10
        [gates]
        ingest_rows_per_second = { at_least = 500, aim = 1000 }
        """;

    [Fact]
    public void Numbers_are_flat_and_come_back()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "a.json");
        File.WriteAllText(file, JsonReport.Write([Report(600)]));
        var root = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        Assert.Equal(600, (double)root["ingest_rows_per_second"]!);
        Assert.Null(root["partial"]);
        Assert.False(root.ContainsKey("latency_p99_ms"));
        Assert.Equal(600, Assert.Single(JsonReport.ReadNumbers(file))["ingest_rows_per_second"]);
    }

    [Fact]
    public void Several_runs_are_an_array_and_a_folder_is_all_of_its_files()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "a.json"), JsonReport.Write([Report(600), Report(610)]));
        File.WriteAllText(Path.Combine(folder.Path, "b.json"), JsonReport.Write([Report(620)]));
        Assert.Equal([600, 610, 620], JsonReport.ReadNumbers(folder.Path).Select(run => run["ingest_rows_per_second"]));
    }

    [Fact]
    public void A_partial_run_says_so_and_is_not_compared()
    {
        using var folder = new TemporaryFolder();
        var partial = Report(600) with { Partial = "streams-serve ended during the run" };
        var file = Path.Combine(folder.Path, "a.json");
        File.WriteAllText(file, JsonReport.Write([partial]));
        Assert.Equal("streams-serve ended during the run", (string)JsonNode.Parse(File.ReadAllText(file))!["partial"]!);
        Assert.Contains("no report of a whole run", Assert.Throws<BenchFailure>(() => JsonReport.ReadNumbers(file)).Message);
        Assert.Contains("**Partial: streams-serve ended during the run.**", MarkdownReport.Of(partial, []));
    }

    [Fact]
    public void What_misses_its_gate_or_was_lost_is_named()
    {
        Assert.Empty(Report(500).Misses());
        Assert.Equal(["ingest_rows_per_second is 499, its gate is at least 500"], Report(499).Misses());
        Assert.Equal("lost is 3, must be 0", Report(600, lost: 3).Misses()[0]);
        Assert.Equal(["ingest_rows_per_second was not measured, its gate is at least 500"], (Report(1) with { Values = new Dictionary<string, double>() }).Misses());
    }

    [Fact]
    public void Markdown_has_gates_aims_and_charts()
    {
        using var folder = new TemporaryFolder();
        MarkdownReport.WriteFolder(folder.Path, Report(1200));
        var text = File.ReadAllText(Path.Combine(folder.Path, "report.md"));
        Assert.Contains("| `ingest_rows_per_second` | 1,200 | rows/s | at least 500 | 1,000 reached |", text);
        Assert.Contains("![Rows a second](rows.svg)", text);
        Assert.Contains("**missed**", MarkdownReport.Of(Report(1), []));
        foreach (var file in Directory.GetFiles(folder.Path, "*.svg"))
        {
            Assert.Equal("svg", XDocument.Load(file).Root!.Name.LocalName);
        }

        Assert.Equal(5, Directory.GetFiles(folder.Path, "*.svg").Length);
    }

    [Fact]
    public void A_chart_has_every_line_inside_its_frame()
    {
        var svg = SvgChart.Write("a < b", "rows/s", [new SvgLine("one", [(0, 0), (5, 100), (10, 50)]), new SvgLine("two", [])]);
        var lines = XDocument.Parse(svg).Descendants().Where(element => element.Name.LocalName == "polyline").ToList();
        Assert.Equal(2, lines.Count);
        var points = lines[0].Attribute("points")!.Value.Split(' ').Select(point => point.Split(',').Select(value => double.Parse(value, System.Globalization.CultureInfo.InvariantCulture)).ToArray());
        Assert.All(points, point => Assert.True(point[0] is >= 0 and <= 720 && point[1] is >= 0 and <= 260));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.9, 1)]
    [InlineData(1, 1)]
    [InlineData(1.1, 2)]
    [InlineData(260_000, 400_000)]
    [InlineData(90_001, 100_000)]
    public void An_axis_ends_at_a_round_number(double value, double end) => Assert.Equal(end, SvgChart.Ceiling(value), 6);

    [Fact]
    public void The_machine_is_described_and_not_named()
    {
        var machine = Machine.Read();
        Assert.True(machine.Cores > 0 && machine.MemoryBytes > 0 && machine.Kernel.Length > 0 && machine.Cpu.Length > 0);
        Assert.DoesNotContain(Environment.MachineName, JsonReport.Write([Report(1)]));
    }

    private static CaseReport Report(double rate, long lost = 0) => new()
    {
        Case = CaseFile.Parse(Text, "f", "n"),
        At = DateTimeOffset.UnixEpoch,
        Values = new Dictionary<string, double> { [ReportKeys.IngestRate] = rate, [ReportKeys.Lost] = lost },
        Machine = Machine.Read(),
        Before = new Noise(20, 0.01),
        After = new Noise(21, 0.02),
        Samples = [Seen(0), Seen(1), Seen(2)],
    };

    private static Sample Seen(double seconds) => new()
    {
        Seconds = seconds,
        Offered = (long)(seconds * 1000),
        Accepted = (long)(seconds * 1000),
        Rows = (long)(seconds * 900),
        ActiveParts = 3,
        RunningMerges = 0,
        BehindSeconds = 0,
        LoadAllocated = 0,
        Cpu = new Dictionary<string, double> { ["streams-serve"] = seconds * 0.5 },
        Resident = new Dictionary<string, long> { ["streams-serve"] = 1000 },
    };

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("streams-bench-tests-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
