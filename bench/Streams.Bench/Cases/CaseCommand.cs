using System.CommandLine;
using Streams.Bench.Reports;
using Streams.Bench.Running;
using Streams.Bench.Target;

namespace Streams.Bench.Cases;

/// <summary>A case by its name, or by the path of a folder of the user's own.</summary>
internal static class CaseCommand
{
    private const int MostRuns = 100;

    /// <summary>One command for each case of the repository.</summary>
    public static IEnumerable<Command> All()
    {
        foreach (var name in CaseFolder.Names())
        {
            var command = new Command(name, $"The case bench/cases/{name}.");
            AddTo(command, _ => name);
            yield return command;
        }
    }

    /// <summary>`case FOLDER`.</summary>
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder with a case.toml, the file, or the name of a case." };
        var command = new Command("case", "A case of your own: a folder with a case.toml (bench/cases/README.md).") { folder };
        AddTo(command, parse => parse.GetValue(folder)!);
        return command;
    }

    /// <summary>What `--list` prints.</summary>
    public static void PrintList()
    {
        foreach (var name in CaseFolder.Names())
        {
            string title;
            try
            {
                title = CaseFile.Read(CaseFolder.FileOf(name)).Title;
            }
            catch (BenchFailure wrong)
            {
                title = "cannot be read: " + wrong.Message;
            }

            Console.WriteLine($"{name,-12} {title}");
        }
    }

    private static void AddTo(Command command, Func<ParseResult, string> caseOf)
    {
        var json = new Option<string?>("--json") { Description = "Write the result to this file: one object, or an array with --runs." };
        var folder = new Option<string?>("--report") { Description = "Write report.md and charts to this folder." };
        var runs = new Option<int>("--runs") { Description = $"How often, 1 to {MostRuns}, each in a system of its own.", DefaultValueFactory = _ => 1 };
        var keep = new Option<bool>("--keep") { Description = "Leave data and logs in place." };
        command.Add(json);
        command.Add(folder);
        command.Add(runs);
        command.Add(keep);
        var targetOf = TargetOptions.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            var target = targetOf(parse);
            var count = parse.GetValue(runs);
            if (count is < 1 or > MostRuns)
            {
                throw new BenchFailure($"--runs {count}: expected 1 to {MostRuns}");
            }

            var definition = CaseFile.Read(CaseFolder.FileOf(caseOf(parse)));
            var reports = new List<CaseReport>();
            for (var run = 0; run < count; run++)
            {
                await OneAsync(definition, target, reports, parse.GetValue(json), FolderOf(parse.GetValue(folder), run, count), parse.GetValue(keep), stop);
            }

            return 0;
        });
    }

    private static async Task OneAsync(CaseDefinition definition, TargetOptions? target, List<CaseReport> reports, string? json, string? folder, bool keep, CancellationToken stop)
    {
        var directory = Directory.CreateTempSubdirectory($"streams-bench-{definition.Name}-").FullName;
        var report = target is null ? await CaseRun.RunAsync(definition, directory, stop) : await TargetRun.RunAsync(target, definition, directory, stop);
        reports.Add(report);
        ConsoleReport.Print(report);
        // Written whatever it says: a partial report says so itself.
        if (json is not null)
        {
            await File.WriteAllTextAsync(json, JsonReport.Write(reports), CancellationToken.None);
        }

        if (folder is not null)
        {
            MarkdownReport.WriteFolder(folder, report);
        }

        if (report.Partial is { } partial)
        {
            throw new BenchFailure($"{partial}; the report is partial; data and logs are in {directory}");
        }

        if (report.Misses() is { Count: > 0 } misses)
        {
            throw new BenchFailure($"{string.Join("; ", misses)}; data and logs are in {directory}");
        }

        if (!keep)
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string? FolderOf(string? folder, int run, int runs) =>
        folder is null || runs == 1 ? folder : Path.Combine(folder, FormattableString.Invariant($"run-{run + 1}"));
}
