using System.CommandLine;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Streams.Microbench.Allocations;

namespace Streams.Microbench;

/// <summary>`times`: BenchmarkDotNet over the benchmarks that a filter names.</summary>
internal static class TimesCommand
{
    public static Command Create()
    {
        var filter = new Option<string?>("--filter") { Description = "Only benchmarks whose name contains this, or matches it where it has a `*`: Ring, Wire.FrameSealOpen, *16K." };
        var thorough = new Option<bool>("--thorough") { Description = "BenchmarkDotNet's own number of iterations instead of three: minutes for each instead of seconds." };
        var list = new Option<bool>("--list") { Description = "Only names them." };
        var command = new Command("times", "Time and bytes of each operation, by BenchmarkDotNet.") { filter, thorough, list };
        command.SetAction(parse => Run(parse.GetValue(filter), parse.GetValue(thorough), parse.GetValue(list)));
        return command;
    }

    private static int Run(string? filter, bool thorough, bool list)
    {
        var pattern = filter is null ? "*" : filter.Contains('*', StringComparison.Ordinal) ? filter : $"*{filter}*";
        var glob = new GlobFilter([$"Streams.Microbench.{pattern}", pattern]);
        var chosen = new List<Type>();
        foreach (var type in BenchmarkCatalogue.All.GroupBy(static benchmark => benchmark.Type))
        {
            if (type.First().Unavailable() is { } reason)
            {
                Console.WriteLine($"microbench: skipped {type.First().Name}: {reason}");
            }
            else
            {
                chosen.Add(type.Key);
            }
        }

        var cases = chosen.SelectMany(static type => BenchmarkConverter.TypeToBenchmarks(type).BenchmarksCases).Where(glob.Predicate).ToList();
        if (cases.Count == 0)
        {
            Console.Error.WriteLine($"microbench: --filter {filter}: no benchmark that can run here has such a name; --list names them");
            return 1;
        }

        if (list)
        {
            cases.ForEach(static benchmark => Console.WriteLine(benchmark.Descriptor.GetFilterName()["Streams.Microbench.".Length..]));
            return 0;
        }

        // In this process: BenchmarkDotNet would otherwise write and build a project of its own for each run, under this repository's build rules.
        var job = (thorough ? Job.Default : Job.ShortRun).WithToolchain(InProcessEmitToolchain.Instance);
        var config = ManualConfig.CreateEmpty()
            .AddJob(job)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddColumn(CategoriesColumn.Default)
            .AddLogger(ConsoleLogger.Default)
            .AddFilter(glob)
            .WithOptions(ConfigOptions.JoinSummary | ConfigOptions.DisableLogFile)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "streams-microbench"));
        var summaries = BenchmarkRunner.Run([.. chosen], config);
        return summaries.All(static summary => summary.Reports.All(static report => report.Success)) ? 0 : 1;
    }
}
