using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using Streams.Host.Terminal;
using Streams.Services.Http;

namespace Streams.Host.Commands;

/// <summary>`streams command`: asks agents for something, and shows what they answered.</summary>
internal static class CommandCommand
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private static readonly JsonSerializerOptions Json = new(ApiJson.Default.Options) { WriteIndented = true };

    public static Command Create() => new("command", "Give commands to agents, and show what became of them.") { CreateStatus(), CreateShow() };

    private static Command CreateStatus()
    {
        var agents = new Argument<string[]>("agent") { Description = "The agents, each by name.", Arity = ArgumentArity.OneOrMore };
        var wait = new Option<bool>("--wait") { Description = "Wait until every agent has answered or the deadline is over." };
        var deadline = new Option<int>("--deadline-seconds") { Description = "How long the command may wait for its agents.", DefaultValueFactory = _ => 300 };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var connection = new OperatorOptions();
        var command = new Command("status", "Ask agents how they are: what `streams-agent status` says on their hosts.") { agents, wait, deadline, json };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            using var client = connection.Open(parse);
            var answer = await client.PostAsync(
                "api/v1/commands", new CommandBody("status", parse.GetValue(agents)!, parse.GetValue(deadline)),
                ApiJson.Default.CommandBody, ApiJson.Default.CommandAnswer, stop);
            while (parse.GetValue(wait) && !answer.Ended)
            {
                await Task.Delay(Poll, stop);
                answer = await client.GetAsync($"api/v1/commands/{answer.Id}", ApiJson.Default.CommandAnswer, stop);
            }
            Print(answer, parse.GetValue(json));
            // Who waits wants to know by the exit code whether all answered.
            return !parse.GetValue(wait) || answer.Agents.All(agent => agent.State == "finished") ? 0 : 1;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var id = new Argument<string>("id") { Description = "The command's id." };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var connection = new OperatorOptions();
        var command = new Command("show", "Show a command and what its agents answered.") { id, json };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            using var client = connection.Open(parse);
            Print(await client.GetAsync($"api/v1/commands/{Uri.EscapeDataString(parse.GetValue(id)!)}", ApiJson.Default.CommandAnswer, stop), parse.GetValue(json));
            return 0;
        });
        return command;
    }

    private static void Print(CommandAnswer answer, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(answer, Json));
            return;
        }
        Console.WriteLine($"command {answer.Id} {answer.Kind}, deadline {answer.Deadline:yyyy-MM-dd HH:mm:ss'Z'}");
        var table = new Table().Border(TableBorder.Simple).AddColumns("agent", "state", "since", "detail");
        foreach (var agent in answer.Agents)
        {
            table.AddRow(
                Markup.Escape(agent.Agent), agent.State, agent.ChangedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'"), Markup.Escape(Detail(agent)));
        }
        AnsiConsole.Write(table);
    }

    private static string Detail(CommandAgentAnswer agent) => agent.Detail
        ?? (agent.Result is { ValueKind: JsonValueKind.Object } result && result.TryGetProperty("version", out var version)
            && result.TryGetProperty("rss_bytes", out var memory)
            ? $"version {version}, {memory.GetInt64() / 1024} KiB resident; all of it with --json" : "");
}
