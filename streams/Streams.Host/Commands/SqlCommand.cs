using System.CommandLine;
using Streams.Host.Terminal;

namespace Streams.Host.Commands;

/// <summary>`streams sql`: one query, its result on standard output.</summary>
internal static class SqlCommand
{
    private static readonly Dictionary<string, string> Formats = new(StringComparer.OrdinalIgnoreCase)
    {
        ["table"] = "PrettyCompactMonoBlock",
        ["json"] = "JSON",
        ["jsonl"] = "JSONEachRow",
        ["csv"] = "CSVWithNames",
        ["tsv"] = "TSVWithNames",
        ["vertical"] = "Vertical",
    };

    public static Command Create()
    {
        var query = new Argument<string?>("query") { Description = "The query; without it, standard input is read.", Arity = ArgumentArity.ZeroOrOne };
        var format = new Option<string>("--format", "-f")
        {
            Description = $"{string.Join(", ", Formats.Keys)}, or a ClickHouse format by its name. Default: table on a terminal, tsv in a pipe.",
        };
        var parameters = new Option<string[]>("--param") { Description = "NAME=VALUE for {NAME:Type} in the query; may be repeated." };
        var connection = new ConnectionOptions();
        var command = new Command("sql", "Run a SQL query against the rows.") { query, format, parameters };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            var text = parse.GetValue(query) ?? await Console.In.ReadToEndAsync(stop);
            if (string.IsNullOrWhiteSpace(text))
            {
                throw new CommandFailure("the query is empty; give it as an argument or on standard input", 2);
            }
            using var clickHouse = connection.OpenClickHouse(parse);
            var name = parse.GetValue(format) ?? (Console.IsOutputRedirected ? "tsv" : "table");
            await using var result = await clickHouse.OpenAsync(
                text, Formats.GetValueOrDefault(name, name), Pairs(parse.GetValue(parameters) ?? []), stop);
            await using var output = Console.OpenStandardOutput();
            await result.CopyToAsync(output, stop);
            return 0;
        });
        return command;
    }

    private static List<KeyValuePair<string, string>> Pairs(string[] parameters)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var parameter in parameters)
        {
            var split = parameter.IndexOf('=');
            if (split <= 0)
            {
                throw new CommandFailure($"--param {parameter}: expected NAME=VALUE", 2);
            }
            pairs.Add(new(parameter[..split], parameter[(split + 1)..]));
        }
        return pairs;
    }
}
