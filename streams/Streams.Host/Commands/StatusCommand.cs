using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using Streams.Host.Terminal;

namespace Streams.Host.Commands;

/// <summary>`streams status`: each child of a running `streams up`, how often it was started again and how it is.</summary>
internal static class StatusCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var connection = new ConnectionOptions();
        var command = new Command("status", "List the processes of a running instance: pid, restarts, since when, health.") { json };
        connection.AddTo(command);
        command.SetAction(parse =>
        {
            var children = connection.Endpoints(parse).Statuses;
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(children, Json));
                return 0;
            }
            var table = new Table().Border(TableBorder.Simple);
            foreach (var column in new[] { "process", "state", "pid", "restarts", "since", "health" })
            {
                table.AddColumn(column);
            }
            foreach (var child in children)
            {
                var health = child.Ailment ?? (child.Pid is null ? "-" : "ok");
                table.AddRow(
                    child.Name, child.State.ToString().ToLowerInvariant(), child.Pid?.ToString() ?? "-", child.Restarts.ToString(),
                    child.Since.ToString("yyyy-MM-dd HH:mm:ss'Z'"), Markup.Escape(health));
            }
            AnsiConsole.Write(table);
            foreach (var child in children.Where(child => child.LastFailure is not null))
            {
                Console.WriteLine($"last failure: {child.LastFailure}");
            }
            return 0;
        });
        return command;
    }
}
