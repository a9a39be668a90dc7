using System.CommandLine;
using System.Text;
using System.Text.Json;
using Streams.Host.Terminal;

namespace Streams.Host.Commands;

/// <summary>`streams tail CLASS`: rows of one class as they are committed, one JSON object a line.</summary>
internal static class TailCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public static Command Create()
    {
        var name = new Argument<string>("class") { Description = "The event class, for example process_exec." };
        var connection = new ConnectionOptions();
        var command = new Command("tail", "Print the rows of one event class as they are committed, one JSON object a line.") { name };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            using var clickHouse = connection.OpenClickHouse(parse);
            var table = parse.GetValue(name)!;
            await CheckAsync(clickHouse, table, stop);
            await FollowAsync(clickHouse, table, stop);
            return 0;
        });
        return command;
    }

    private static async Task CheckAsync(ClickHouseHttp clickHouse, string table, CancellationToken stop)
    {
        var tables = await clickHouse.RowsAsync(
            "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'received_at' ORDER BY table", stop);
        if (!tables.Any(row => row[0] == table))
        {
            throw new CommandFailure($"there is no event class {table}; there are: {string.Join(", ", tables.Select(row => row[0]))}", 2);
        }
    }

    /// <summary>
    /// Commits are not in the order of received_at, so a plain cursor would skip rows: each look covers the last ten seconds before the newest row seen and
    /// leaves out the batches that were already printed. A batch is stored whole, so its id is enough.
    /// </summary>
    private static async Task FollowAsync(ClickHouseHttp clickHouse, string table, CancellationToken stop)
    {
        const int OverlapSeconds = 10;
        var printed = new Dictionary<string, long>();
        long newest = (await clickHouse.RowsAsync($"SELECT toUnixTimestamp64Micro(max(received_at)) FROM {table}", stop)) is [[var text]]
            && long.TryParse(text, out var start) ? start : 0;
        var from = newest;
        while (!stop.IsCancellationRequested)
        {
            var query = $"""
                SELECT concat(agent_id, '/', toString(epoch), '/', toString(lane), '/', toString(batch)) AS _batch,
                       toUnixTimestamp64Micro(received_at) AS _received, *
                FROM {table} WHERE received_at > fromUnixTimestamp64Micro({from}) ORDER BY received_at, lane, batch, row
                """;
            var last = "";
            var fresh = false;
            await foreach (var line in LinesAsync(clickHouse, query, stop))
            {
                using var row = JsonDocument.Parse(line);
                var batch = row.RootElement.GetProperty("_batch").GetString()!;
                var received = row.RootElement.GetProperty("_received").GetInt64();
                if (batch != last)
                {
                    fresh = printed.TryAdd(batch, received);
                    last = batch;
                }
                if (fresh)
                {
                    Console.Out.WriteLine(WithoutCursor(row.RootElement));
                    newest = Math.Max(newest, received);
                }
            }
            from = Math.Max(from, newest - OverlapSeconds * 1_000_000L);
            foreach (var old in printed.Where(entry => entry.Value <= from).Select(entry => entry.Key).ToArray())
            {
                printed.Remove(old);
            }
            await Task.Delay(Interval, stop);
        }
    }

    private static async IAsyncEnumerable<string> LinesAsync(
        ClickHouseHttp clickHouse, string query, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        await using var stream = await clickHouse.OpenAsync(query, "JSONEachRow", [], stop, [new("output_format_json_quote_64bit_integers", "0")]);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            yield return line;
        }
    }

    private static string WithoutCursor(JsonElement row)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach (var property in row.EnumerateObject())
            {
                if (property.Name is not ("_batch" or "_received"))
                {
                    property.WriteTo(writer);
                }
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
