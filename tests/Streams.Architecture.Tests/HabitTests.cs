using System.Text.RegularExpressions;

namespace Streams.Architecture.Tests;

/// <summary>Habits that a reviewer would otherwise have to remember.</summary>
public sealed partial class HabitTests
{
    private static readonly string[] Product = ["agent-native", "bench", "gateway", "storage", "streams"];

    /// <summary>
    /// A Resume decider or a restarting stage drops elements in silence (Akka.Streams documents RestartFlow as lossy):
    /// on the data path a failure is a value and the restart unit is the partition's whole pipeline.
    /// </summary>
    [Fact]
    public void No_resume_or_restart_on_the_data_path()
    {
        var offenders = Repository.Sources("*.cs", "gateway", "streams/Streams.Worker", "streams/Streams.Stages")
            .Where(path => Lossy().IsMatch(File.ReadAllText(path)))
            .Select(Repository.Relative);
        Assert.Empty(offenders);
    }

    [Fact]
    public void No_folder_is_a_drawer_for_leftovers()
    {
        string[] drawers = ["Common", "Helpers", "Utils", "Util", "Misc", "Shared"];
        var offenders = Repository.Sources("*.cs", [.. Product, "tests"])
            .SelectMany(path => Repository.Relative(Path.GetDirectoryName(path)!).Split('/'))
            .Intersect(drawers);
        Assert.Empty(offenders);
    }

    [Fact]
    public void Log_event_ids_are_unique()
    {
        var ids = Repository.Sources("*.cs", Product)
            .SelectMany(path => LogEvent().Matches(File.ReadAllText(path)).Select(match => (Id: int.Parse(match.Groups[1].Value), path)))
            .GroupBy(entry => entry.Id)
            .Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(entry => Repository.Relative(entry.path)))}");
        Assert.Empty(ids);
    }

    [Fact]
    public void No_committed_file_names_a_package_registry()
    {
        var offenders = Repository.Sources("package-lock.json", [.. Product, "tests", "eng"])
            .Where(path => File.ReadAllText(path).Contains("\"resolved\": \"http"))
            .Select(Repository.Relative);
        Assert.Empty(offenders);
    }

    [Fact]
    public void Every_recipe_has_a_description()
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, "Justfile"));
        var bare = Enumerable.Range(1, lines.Length - 1)
            .Where(i => Recipe().IsMatch(lines[i]) && !lines[i - 1].StartsWith("# ", StringComparison.Ordinal))
            .Select(i => lines[i]);
        Assert.Empty(bare);
    }

    [GeneratedRegex(@"Directive\.(Resume|Restart)|Restart(Flow|Source|Sink)\b|Deciders\.(Resuming|Restarting)")]
    private static partial Regex Lossy();

    [GeneratedRegex(@"LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")]
    private static partial Regex LogEvent();

    [GeneratedRegex(@"^[a-z][a-z-]*( \*?[a-z]+)*:( |$)")]
    private static partial Regex Recipe();
}
