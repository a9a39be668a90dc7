using System.CommandLine;
using ClickHouse.Driver;
using Streams.Host.Terminal;
using Streams.Storage;
using Streams.Worker;

namespace Streams.Host.Commands;

/// <summary>`streams dead-letters`: batches that could not be stored; look at them, and store them when the cause is gone.</summary>
internal static class DeadLettersCommand
{
    // As the name is written on the command line.
    private const string Name =
        "concat(agent_id, '/', leftPad(lower(hex(epoch)), 16, '0'), leftPad(lower(hex(epoch_low)), 16, '0'), '/', toString(lane), '/', toString(batch))";

    public static Command Create() => new("dead-letters", "List, show and re-drive batches that could not be stored.")
    {
        List(), Show(), Redrive(),
    };

    private static Command List()
    {
        var all = new Option<bool>("--all") { Description = "Also those that were re-driven." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object a line." };
        var connection = new ConnectionOptions();
        var command = new Command("list", "List the dead letters, newest first.") { all, json };
        connection.AddTo(command);
        command.SetAction((parse, stop) => PrintAsync(
            connection.OpenClickHouse(parse),
            $"""
            SELECT {Name} AS name, class, rows, cause, code, message, length(bytes) AS bytes, toString(received_at) AS received,
                toString(dead_at) AS dead, NOT ({DeadLetterTable.IsWaiting}) AS redriven
            FROM {DeadLetterTable.Name} {(parse.GetValue(all) ? "" : $"WHERE {DeadLetterTable.IsWaiting}")} ORDER BY dead_at DESC
            """,
            parse.GetValue(json) ? "JSONEachRow" : Console.IsOutputRedirected ? "TSVWithNames" : "PrettyCompactMonoBlock",
            stop));
        return command;
    }

    private static Command Show()
    {
        var name = NameArgument();
        var connection = new ConnectionOptions();
        var command = new Command("show", "Show one dead letter with its ledger rows; its bytes as hex.") { name };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            var letter = Parse(parse.GetValue(name)!);
            var key = $"{Name} = '{letter}'";
            using var clickHouse = connection.OpenClickHouse(parse);
            if ((await clickHouse.RowsAsync($"SELECT count() FROM {DeadLetterTable.Name} WHERE {key}", stop))[0][0] == "0")
            {
                throw new CommandFailure($"there is no dead letter {letter}; see: streams dead-letters list --all");
            }
            await PrintAsync(connection.OpenClickHouse(parse), $"SELECT * REPLACE (hex(bytes) AS bytes) FROM {DeadLetterTable.Name} WHERE {key}", "Vertical", stop);
            return await PrintAsync(
                connection.OpenClickHouse(parse),
                $"SELECT revision, entry, cpu, first, last, rows, lost_dead_letter FROM loss_ledger WHERE {key} ORDER BY revision, entry", "TSVWithNames", stop);
        });
        return command;
    }

    private static Command Redrive()
    {
        var names = new Argument<string[]>("name") { Description = "Dead letters as `list` prints them.", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "All that were not re-driven yet." };
        var agent = new Option<string?>("--agent") { Description = "With --all: only this agent's." };
        var connection = new ConnectionOptions();
        var command = new Command("redrive", "Store dead letters whose cause is gone. May be repeated.") { names, all, agent };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            var given = (parse.GetValue(names) ?? []).Select(Parse).ToList();
            if (given.Count == 0 != parse.GetValue(all))
            {
                throw new CommandFailure("give the names of dead letters, or --all", 2);
            }
            if (parse.GetValue(agent) is { } only && !Streams.Queue.Subjects.IsAgentId(only))
            {
                throw new CommandFailure($"--agent {only}: not an agent id", 2);
            }
            using var redrive = new DeadLetterRedrive(connection.Writer(parse));
            try
            {
                return await RunAsync(redrive, given.Count == 0 ? await redrive.WaitingAsync(parse.GetValue(agent), stop) : given, stop);
            }
            catch (ClickHouseServerException error)
            {
                throw new CommandFailure(error.Message);
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(DeadLetterRedrive redrive, IReadOnlyList<DeadLetterName> letters, CancellationToken stop)
    {
        var failed = 0;
        foreach (var letter in letters)
        {
            var outcome = await redrive.RunAsync(letter, stop);
            failed += outcome.State is RedriveState.Stored or RedriveState.AlreadyStored ? 0 : 1;
            Console.WriteLine(outcome.State switch
            {
                RedriveState.Stored => $"{letter}: stored",
                RedriveState.AlreadyStored => $"{letter}: was stored already",
                RedriveState.NotFound => $"{letter}: there is no such dead letter",
                _ => $"{letter}: still refused: {outcome.Detail}",
            });
        }
        return failed == 0 ? 0 : 1;
    }

    private static Argument<string> NameArgument() => new("name") { Description = "The dead letter as `list` prints it: AGENT/EPOCH/LANE/BATCH." };

    private static DeadLetterName Parse(string text) => DeadLetterName.TryParse(text, out var name)
        ? name : throw new CommandFailure($"{text} is not AGENT/EPOCH/LANE/BATCH, as `streams dead-letters list` prints it", 2);

    private static async Task<int> PrintAsync(ClickHouseHttp clickHouse, string query, string format, CancellationToken stop)
    {
        using (clickHouse)
        {
            await using var result = await clickHouse.OpenAsync(query, format, [], stop);
            await using var output = Console.OpenStandardOutput();
            await result.CopyToAsync(output, stop);
            return 0;
        }
    }
}
