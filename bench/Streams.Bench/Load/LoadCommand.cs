using System.CommandLine;
using System.Text.Json;
using Streams.Bench.Running;

namespace Streams.Bench.Load;

/// <summary>`load`: the agents of a case, in a process of their own, so that what they cost is measured apart. Speaks to the harness in lines of JSON.</summary>
internal static class LoadCommand
{
    public const string Verb = "load";

    public static Command Create()
    {
        var spec = new Argument<string>("spec") { Description = "File with what to do." };
        var command = new Command(Verb, "Agents of a case.") { spec };
        command.Hidden = true;
        command.SetAction(async (parse, stop) =>
        {
            try
            {
                await LoadRun.RunAsync(LoadSpec.Read(parse.GetValue(spec)!), stop);
                return 0;
            }
            catch (BenchFailure failure)
            {
                Say(new LoadStatus { State = "failed", Detail = failure.Message });
                return 1;
            }
        });
        return command;
    }

    public static void Say(LoadStatus status) => Console.WriteLine(JsonSerializer.Serialize(status, LoadJson.Default.LoadStatus));
}
