using Streams.Bench.Cases;
using Streams.Bench.Running;

namespace Streams.Bench.Tests;

public sealed class CaseFileTests
{
    private const string Good = """
        title = "a case"
        [load]
        agents = 4
        [[phase]]
        kind = "steady"
        seconds = 2
        rate = 1000
        """;

    public static TheoryData<string> Shipped => [.. CaseFolder.Names()];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void A_shipped_case_can_be_run(string name) => Assert.NotEmpty(CaseFile.Read(CaseFolder.FileOf(name)).Title);

    [Fact]
    public void What_a_file_says_is_what_is_run()
    {
        var definition = CaseFile.Parse(Good + "\n[gates]\ncommitted_rows_per_second = { at_least = 10, aim = 20 }", "f", "n");
        Assert.Equal(("n", "a case", 4, 1000), (definition.Name, definition.Title, definition.Agents, definition.Mix.BatchRows));
        Assert.Equal(2000, Assert.Single(definition.Segments(0)).Events);
        var gate = Assert.Single(definition.Gates);
        Assert.True(gate.Holds(10) && !gate.Holds(9.9) && gate.Reaches(20) && !gate.Reaches(19));
    }

    [Fact]
    public void A_burst_returns_to_the_rate_and_ends_with_its_phase()
    {
        var phase = new Phase { Kind = PhaseKind.Burst, Seconds = 25, Rate = 10, Other = 100, EverySeconds = 10, BurstSeconds = 2 };
        var segments = phase.Segments(0).ToList();
        Assert.Equal([8, 2, 8, 2, 5], segments.Select(segment => segment.Seconds));
        Assert.Equal([10, 100, 10, 100, 10], segments.Select(segment => segment.From));
    }

    [Fact]
    public void A_multiple_of_the_capacity_waits_for_it()
    {
        var definition = CaseFile.Parse(Good.Replace("rate = 1000", "times_capacity = 3") + "\n[before]\ncapacity_seconds = 5", "f", "n");
        Assert.Equal(2 * 3 * 500, definition.Segments(500).Sum(segment => segment.Events));
    }

    [Theory]
    [InlineData("agents = 4", "agents = 4\nagnets = 5", "load.agnets is not a key; expected agents, batch_rows")]
    [InlineData("agents = 4", "agents = 18001", "load.agents is 18001, must be 1 to 18000")]
    [InlineData("agents = 4", "agents = 0", "load.agents is 0, must be 1 to 18000")]
    [InlineData("agents = 4", "agents = \"many\"", "load.agents must be a whole number, 1 to 18000")]
    [InlineData("agents = 4", "agents = 2\nprocesses = 3", "load.processes is 3, must be 1 to 2")]
    [InlineData("agents = 4", "batch_rows = 0", "load.batch_rows is 0, must be 1 to 65536")]
    [InlineData("agents = 4", "classes = 6", "load.classes is 6, must be 1 to 5")]
    [InlineData("agents = 4", "classes = 3\n[compare]\nraw_native = true", "load.classes is 3, must be 2 with compare.raw_native")]
    [InlineData("agents = 4", "agents = 4\n[system]\npartitions = 65", "system.partitions is 65, must be 1 to 64")]
    [InlineData("agents = 4", "spool_mib = 15", "load.spool_mib is 15, must be 0 or 16 to 4096")]
    [InlineData("rate = 1000", "rate = 0", "phase[1].rate is 0, must be 1 to 5000000")]
    [InlineData("rate = 1000", "", "phase[1].rate is missing; a number from 1 to 5000000")]
    [InlineData("rate = 1000", "rate = 1000\nburst_rate = 7", "phase[1].burst_rate is not a key; expected kind, rate, seconds")]
    [InlineData("seconds = 2", "seconds = 3601", "phase[1].seconds is 3601, must be 0.1 to 3600")]
    [InlineData("kind = \"steady\"", "kind = \"storm\"", "phase[1].kind is \"storm\", must be one of max, steady, ramp, burst, churn, hot")]
    [InlineData("rate = 1000", "rate = 1000\n[[phase]]\nkind = \"max\"\nseconds = 1", "phase of kind max has no due times and must be the only one")]
    [InlineData("rate = 1000", "rate = 1000\n[[phase]]\nseconds = 3599\nrate = 5", "phase lasts 3601 s in all, must be at most 3600")]
    [InlineData("rate = 1000", "times_capacity = 3", "before.capacity_seconds is needed with times_capacity, and only with it")]
    [InlineData("rate = 1000", "rate = 1000\n[measure]\nlatency = true", "measure.latency needs load.scheduled = true")]
    [InlineData("agents = 4", "agents = 4\nscheduled = true\nprocesses = 2", "load.processes is 2, must be 1 with load.scheduled")]
    [InlineData("rate = 1000", "rate = 5_000_000\nseconds = 10\n[load]\nscheduled = true", "f: ")]
    [InlineData("rate = 1000", "rate = 1000\n[gates]\nspeed = { at_least = 1 }", "gates.speed is not a key of a report; expected one of offered_rows")]
    [InlineData("rate = 1000", "rate = 1000\n[gates]\nlatency_p99_ms = { at_most = 1 }", "gates.latency_p99_ms is of a key that this case does not measure")]
    [InlineData("rate = 1000", "rate = 1000\n[gates]\nlost = { at_most = 1, at_least = 1 }", "gates.lost must have one of at_least and at_most")]
    [InlineData("[load]", "[laod]", "load is missing: a case has a load")]
    public void A_wrong_file_is_one_line_that_names_key_and_bound(string good, string bad, string line)
    {
        var failure = Assert.Throws<BenchFailure>(() => CaseFile.Parse(Good.Replace(good, bad), "f", "n"));
        Assert.StartsWith(line.StartsWith("f: ", StringComparison.Ordinal) ? line : "f: " + line, failure.Message);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public void A_load_without_phases_is_none()
    {
        var failure = Assert.Throws<BenchFailure>(() => CaseFile.Parse("[load]\nagents = 1", "f", "n"));
        Assert.Equal("f: phase is missing: a load has at least one [[phase]]", failure.Message);
    }

    [Fact]
    public void More_scheduled_rows_than_memory_holds_are_refused()
    {
        var text = Good.Replace("agents = 4", "agents = 4\nscheduled = true").Replace("rate = 1000", "rate = 1_000_000").Replace("seconds = 2", "seconds = 25");
        Assert.Contains("must be at most 24000000", Assert.Throws<BenchFailure>(() => CaseFile.Parse(text, "f", "n")).Message);
    }

    [Fact]
    public void An_unknown_case_names_the_known_ones() =>
        Assert.Contains("smoke", Assert.Throws<BenchFailure>(() => CaseFolder.FileOf("no-such-case")).Message);
}
