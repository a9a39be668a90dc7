using System.CommandLine;
using Streams.Microbench;

var root = new RootCommand("Measures each hop of the event path alone.") { TimesCommand.Create(), AllocationsCommand.Create(), StagesCommand.Create() };
var parse = root.Parse(args);
if (parse.Errors.Count > 0)
{
    Console.Error.WriteLine($"microbench: {parse.Errors[0].Message}; see --help");
    return 2;
}

return await parse.InvokeAsync();
