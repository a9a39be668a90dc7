using System.CommandLine;
using Streams.Bench.Cases;
using Streams.Bench.Chaos;
using Streams.Bench.Chaos.Sources;
using Streams.Bench.Comparisons;
using Streams.Bench.Demo;
using Streams.Bench.Load;
using Streams.Bench.Reports;
using Streams.Bench.Running;
using Streams.Bench.Wire;
using Streams.Local;

var list = new Option<bool>("--list") { Description = "List the cases." };
var root = new RootCommand("Measures and proves Streams by running it.")
{
    list, DemoCommand.Create(), LimitsCommand.Create(), WireCommand.Create(), EchoServer.Create(), ChaosCommand.Create(), SourceCommand.Create(), LoadCommand.Create(),
    CaseCommand.Create(), CompareCommand.Create(),
};
foreach (var command in CaseCommand.All())
{
    root.Add(command);
}

root.SetAction(parse =>
{
    if (!parse.GetValue(list))
    {
        throw new BenchFailure("what to run is missing; --list shows the cases, --help the rest");
    }

    CaseCommand.PrintList();
});
var parse = root.Parse(args);
if (parse.Errors.Count > 0)
{
    Console.Error.WriteLine($"bench: {parse.Errors[0].Message}; see --help");
    return 2;
}
try
{
    return await parse.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(6) });
}
catch (OperationCanceledException)
{
    return 130;
}
catch (Exception failure) when (failure is BenchFailure or LocalException or IOException or HttpRequestException)
{
    Console.Error.WriteLine($"bench: {failure.Message.ReplaceLineEndings(" ")}");
    return 1;
}
