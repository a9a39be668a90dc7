using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Streams.Host.Terminal;

namespace Streams.Host.Commands;

/// <summary>`streams loss`: what was lost, of whom, why and when, and whether the ledger balances. Lost and counted is not unbalanced.</summary>
internal static class LossCommand
{
    private static readonly JsonSerializerOptions JsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create()
    {
        var agent = new Argument<string?>("agent") { Description = "Only this agent.", DefaultValueFactory = _ => null };
        var since = new Option<int>("--since") { Description = "Hours to look back, 1 to 9,600.", DefaultValueFactory = _ => 24 };
        var eventClass = new Option<string?>("--class") { Description = "Only this class." };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var check = new Option<bool>("--check") { Description = "End with exit code 3 when something is unbalanced." };
        var connection = new ConnectionOptions();
        var command = new Command("loss", "Show what was lost and counted, by agent, class, cause and hour, and whether the ledger balances.")
        {
            agent, since, eventClass, json, check,
        };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            var hours = parse.GetValue(since);
            if (hours is < 1 or > 9600)
            {
                throw new CommandFailure($"--since {hours}: expected 1 to 9600", 2);
            }
            using var clickHouse = connection.OpenClickHouse(parse);
            var where = Where(parse.GetValue(agent), parse.GetValue(eventClass));
            var losses = await LossesAsync(clickHouse, where, hours, stop);
            var states = await StatesAsync(clickHouse, where, hours, stop);
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { losses, ledger = states }, JsonOptions));
            }
            else
            {
                Print(losses, states, hours);
            }
            return parse.GetValue(check) && states.Any(state => state.State == "unbalanced") ? 3 : 0;
        });
        return command;
    }

    private static async Task<List<Loss>> LossesAsync(ClickHouseHttp clickHouse, string where, int hours, CancellationToken stop) =>
    [
        .. (await clickHouse.RowsAsync(
            $"SELECT agent_id, class, cause, toString(period), events FROM loss WHERE period >= toStartOfHour(now() - INTERVAL {hours} HOUR){where} ORDER BY period, agent_id, class, cause",
            stop)).Select(row => new Loss(row[0], row[1], row[2], row[3], Number(row[4]))),
    ];

    private static async Task<List<Balance>> StatesAsync(ClickHouseHttp clickHouse, string where, int hours, CancellationToken stop) =>
    [
        .. (await clickHouse.RowsAsync(
            $"""
            SELECT agent_id, lower(hex(sensor_epoch)), class, state, count(), sum(stamped), sum(stored), sum(lost), sum(difference), sum(doubled), toString(toDateTime(max(barrier_received_at)))
            FROM ledger_balance WHERE barrier_received_at >= now() - INTERVAL {hours} HOUR{where}
            GROUP BY agent_id, sensor_epoch, class, state ORDER BY agent_id, sensor_epoch, class, state
            """,
            stop)).Select(row => new Balance(
                row[0], row[1], row[2], row[3], Number(row[4]), Number(row[5]), Number(row[6]), Number(row[7]), Number(row[8]), Number(row[9]), row[10])),
    ];

    private static string Where(string? agent, string? eventClass) =>
        (agent is null ? "" : $" AND agent_id = '{Name("agent", agent)}'") + (eventClass is null ? "" : $" AND class = '{Name("--class", eventClass)}'");

    /// <summary>Agent ids and names of classes have no quotes: what has is not one.</summary>
    private static string Name(string option, string value) =>
        value.Length is > 0 and <= 64 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? value
            : throw new CommandFailure($"{option} {value}: expected at most 64 letters, digits, - and _", 2);

    private static void Print(List<Loss> losses, List<Balance> states, int hours)
    {
        if (losses.Count == 0)
        {
            Console.WriteLine($"nothing was lost in the last {hours} h");
        }
        else
        {
            var table = Columns("agent", "class", "cause", "hour (UTC)", "events");
            foreach (var loss in losses)
            {
                table.AddRow(Markup.Escape(loss.Agent), Markup.Escape(loss.Class), Markup.Escape(loss.Cause), loss.Hour, Grouped(loss.Events));
            }
            AnsiConsole.Write(table);
        }
        // Sensors, CPUs and barriers apart are in the JSON: a line of a terminal has no room for them.
        var ledger = Columns("agent", "class", "ledger", "stamped", "stored", "lost", "missing", "doubled");
        foreach (var same in states.GroupBy(state => (state.Agent, state.Class, state.State)))
        {
            ledger.AddRow(
                Markup.Escape(same.Key.Agent), Markup.Escape(same.Key.Class), same.Key.State == "unbalanced" ? "[red]unbalanced[/]" : same.Key.State,
                Grouped(same.Sum(state => state.Stamped)), Grouped(same.Sum(state => state.Stored)), Grouped(same.Sum(state => state.Lost)),
                same.Key.State == "open" ? "-" : Grouped(same.Sum(state => state.Missing)), Grouped(same.Sum(state => state.Doubled)));
        }
        AnsiConsole.Write(ledger);
        var wrong = states.Where(state => state.State == "unbalanced").Sum(state => state.Cpus);
        Console.WriteLine(wrong == 0
            ? "every number up to the covered barriers is a row or a counted loss"
            : $"{wrong} sequences are unbalanced: rows are missing or doubled, or a loss has no cause");
    }

    private static Table Columns(params string[] names)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var name in names)
        {
            table.AddColumn(new TableColumn(name).NoWrap().Padding(0, 1));
        }
        return table;
    }

    private static string Grouped(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private sealed record Loss(string Agent, string Class, string Cause, string Hour, long Events);

    /// <param name="Sensor">First 8 bytes of the sensor epoch, hexadecimal.</param>
    /// <param name="State">open, balanced, unbalanced or closed_unclean.</param>
    /// <param name="Cpus">Sequences that are summed up here.</param>
    /// <param name="Missing">Numbers that are neither rows nor losses.</param>
    private sealed record Balance(
        string Agent, string Sensor, string Class, string State, long Cpus, long Stamped, long Stored, long Lost, long Missing, long Doubled, string LastBarrier);
}
