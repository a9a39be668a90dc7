using System.CommandLine;

namespace Streams.Bench.Reports;

/// <summary>`compare`: two reports, or two sets of them, as ratios.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var a = new Argument<string>("A") { Description = "Report, or folder of reports, to compare with." };
        var b = new Argument<string>("B") { Description = "Report, or folder of reports." };
        var command = new Command("compare", "Ratios of two reports of a case, with a confidence interval when they hold several runs.") { a, b };
        command.SetAction(parse =>
        {
            var (first, second) = (JsonReport.ReadNumbers(parse.GetValue(a)!), JsonReport.ReadNumbers(parse.GetValue(b)!));
            Console.Write(Comparison.Table(Comparison.Of(first, second), first.Count, second.Count));
            return 0;
        });
        return command;
    }
}
