using System.Globalization;
using Spectre.Console;
using Streams.Host.Terminal;
using Streams.Local;
using LedgerTable = Streams.Storage.LedgerTable;

namespace Streams.Host.Up;

/// <summary>
/// Rows per class, rate, lag and loss, read from the commit record once a second: a table on a terminal, a line every ten seconds
/// elsewhere.
/// </summary>
internal sealed class LiveTable(ClickHouseHttp clickHouse, Endpoints endpoints, bool plain)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private const int PlainEvery = 10;

    private Dictionary<string, ClassCounts> _before = [];
    private DateTime _beforeAt = DateTime.UtcNow;

    public async Task RunAsync(CancellationToken stop)
    {
        if (!plain)
        {
            await AnsiConsole.Live(Render([])).StartAsync(async live =>
            {
                await EachAsync(lines => live.UpdateTarget(Render(lines)), stop);
            });
            return;
        }
        var seconds = 0;
        await EachAsync(
            lines =>
            {
                if (seconds++ % PlainEvery == 0)
                {
                    var (rows, lost) = (lines.Sum(line => line.Counts.Rows), lines.Sum(line => line.Counts.Lost));
                    Console.WriteLine($"{rows} rows, {lines.Sum(line => line.RowsPerSecond):0} rows/s, {lost} lost");
                }
            },
            stop);
    }

    private async Task EachAsync(Action<IReadOnlyList<Line>> show, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                show(await ReadAsync(stop));
                await Task.Delay(Interval, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C.
        }
    }

    private async Task<IReadOnlyList<Line>> ReadAsync(CancellationToken stop)
    {
        List<string[]> rows;
        try
        {
            rows = await clickHouse.RowsAsync(
                "SELECT class, sum(rows), sum(last - first + 1 - rows),"
                    + " toUnixTimestamp64Milli(now64(3)) - toUnixTimestamp64Milli(max(received_at))"
                    + $" FROM loss_ledger WHERE {LedgerTable.IsCurrent} GROUP BY class ORDER BY class",
                stop);
        }
        catch (Exception failure) when (failure is CommandFailure or IOException or HttpRequestException)
        {
            // The engine is stopping, busy or being started again: the table keeps what it showed.
            return [.. _before.Select(entry => new Line(entry.Key, entry.Value, 0))];
        }
        var now = DateTime.UtcNow;
        var seconds = Math.Max((now - _beforeAt).TotalSeconds, 0.001);
        var lines = rows
            // An answer that broke off in the middle has the engine's exception where a row would be.
            .Where(row => row.Length == 4 && row.Skip(1).All(field => long.TryParse(field, CultureInfo.InvariantCulture, out _)))
            .Select(row => (Class: row[0], Counts: new ClassCounts(Number(row[1]), Number(row[2]), Number(row[3]))))
            .Select(entry => new Line(entry.Class, entry.Counts,
                (entry.Counts.Rows - _before.GetValueOrDefault(entry.Class, entry.Counts).Rows) / seconds))
            .ToList();
        _before = lines.ToDictionary(line => line.Class, line => line.Counts);
        _beforeAt = now;
        return lines;
    }

    private Table Render(IReadOnlyList<Line> lines)
    {
        var table = new Table().Border(TableBorder.Rounded)
            .Title(Markup.Escape($"agents {endpoints.Gateway}   operator {endpoints.Operator}   ClickHouse {endpoints.ClickHouse}"))
            .Caption("Ctrl-C stops; query with: streams sql \"SELECT ...\"");
        table.AddColumn("class");
        foreach (var name in new[] { "rows", "rows/s", "lag (newest row)", "lost" })
        {
            table.AddColumn(new TableColumn(name).RightAligned());
        }
        foreach (var line in lines)
        {
            table.AddRow(
                Markup.Escape(line.Class), line.Counts.Rows.ToString("N0", CultureInfo.InvariantCulture),
                line.RowsPerSecond.ToString("N0", CultureInfo.InvariantCulture),
                Age(line.Counts.AgeMilliseconds), line.Counts.Lost == 0 ? "0" : $"[red]{line.Counts.Lost:N0}[/]");
        }
        return table;
    }

    private static string Age(long milliseconds) => milliseconds switch
    {
        < 10_000 => $"{milliseconds / 1000.0:0.0} s ago",
        < 120_000 => $"{milliseconds / 1000} s ago",
        _ => $"{milliseconds / 60_000} min ago",
    };

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private sealed record Line(string Class, ClassCounts Counts, double RowsPerSecond);

    /// <param name="Rows">Committed rows.</param>
    /// <param name="Lost">Events counted as lost, all causes.</param>
    /// <param name="AgeMilliseconds">Since the gateway received the newest committed batch.</param>
    private readonly record struct ClassCounts(long Rows, long Lost, long AgeMilliseconds);
}
