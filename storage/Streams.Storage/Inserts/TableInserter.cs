using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using ClickHouse.Driver;

namespace Streams.Storage;

/// <summary>
/// Sends a block as one insert with every setting said explicitly, and turns whatever happens into an
/// <see cref="InsertResult"/>. Thread-safe; each concurrent call needs its own buffer.
/// </summary>
public sealed class TableInserter(StorageClient client, StorageMetrics metrics)
{
    private const string Withheld = "nothing was sent: the right to insert had ended";

    /// <summary>Inserts a block of at least one row.</summary>
    /// <param name="buffer">Empty; used while the block is sent.</param>
    /// <param name="token">From <see cref="InsertToken"/>.</param>
    /// <param name="repeated">
    /// The token was sent before: then a success is no evidence of rows, and the result is <see cref="InsertOutcome.InDoubt"/>. The
    /// server does not tell: it writes the token before the rows, and counts rows as written that it then drops as duplicates.
    /// </param>
    /// <param name="maySend">
    /// Asked when the connection stands, right before the first byte of the block; false sends none, and the result is
    /// <see cref="InsertOutcome.Retry"/>. Merging and connecting take time in which a right to insert can end.
    /// </param>
    public async Task<InsertResult> InsertAsync(
        NativeBlock block,
        SegmentedBuffer buffer,
        string token,
        InsertLabel label,
        bool repeated,
        CancellationToken cancellation,
        Func<bool>? maySend = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(block.Rows);
        var started = TimeProvider.System.GetTimestamp();
        var result = await SendAsync(block, buffer, token, label, maySend, cancellation).ConfigureAwait(false);
        if (repeated && result.Outcome == InsertOutcome.Ok)
        {
            result = result with { Outcome = InsertOutcome.InDoubt, Message = "the token was used before: read back" };
        }

        metrics.Inserted(block.Table.Name, block.Rows, result, TimeProvider.System.GetElapsedTime(started));
        return result;
    }

    private async Task<InsertResult> SendAsync(
        NativeBlock block, SegmentedBuffer buffer, string token, InsertLabel label, Func<bool>? maySend, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(client.Options.InsertTimeout);
        var sql = $"{label.Comment} INSERT INTO {block.Table.Name} ({block.ColumnList}) FORMAT Native";
        var started = false;
        var withheld = false;
        try
        {
            using var response = await client.Driver.PostStreamAsync(
                sql,
                async (stream, stop) =>
                {
                    started = true;
                    withheld = maySend?.Invoke() == false;
                    if (withheld)
                    {
                        // Breaks the connection: the statement ends without its data.
                        throw new IOException(Withheld);
                    }

                    buffer.Clear();
                    await block.WriteToAsync(stream, buffer, stop).ConfigureAwait(false);
                },
                false,
                timeout.Token,
                new QueryOptions { CustomSettings = Settings(token) }).ConfigureAwait(false);
            await response.Content.CopyToAsync(Stream.Null, timeout.Token).ConfigureAwait(false);
            return Judge(response, block.Rows);
        }
        catch (Exception e) when (withheld && e is not OutOfMemoryException)
        {
            return new InsertResult(InsertOutcome.Retry, -1, 0, Withheld);
        }
        catch (ClickHouseServerException e)
        {
            return new InsertResult(InsertErrors.Classify(e.ErrorCode), -1, e.ErrorCode, FirstLine(e.Message));
        }
        catch (HttpRequestException e) when (!started && e.InnerException is SocketException)
        {
            // The connection was never made: nothing was sent.
            return new InsertResult(InsertOutcome.Retry, -1, 0, e.Message);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or SocketException)
        {
            return new InsertResult(
                InsertOutcome.InDoubt, -1, 0, cancellation.IsCancellationRequested ? "cancelled" : FirstLine(e.Message));
        }
    }

    private Dictionary<string, object> Settings(string token) => new()
    {
        ["async_insert"] = 0, // 1 is the default of 26.x: it would regroup the block and change part and token
        ["insert_deduplicate"] = 1,
        ["deduplicate_insert"] = "enable",
        ["insert_deduplication_token"] = token,
        ["max_partitions_per_insert_block"] = 100,
        ["max_insert_threads"] = 1, // one block, one part
        ["max_execution_time"] = (int)Math.Ceiling(client.Options.InsertTimeout.TotalSeconds),
    };

    private static InsertResult Judge(HttpResponseMessage response, int rows)
    {
        var written = WrittenRows(response);
        return written < 0 || written == rows
            ? new InsertResult(InsertOutcome.Ok, written)
            : new InsertResult(InsertOutcome.InDoubt, written, 0, $"sent {rows} rows, the server wrote {written}");
    }

    /// <summary>written_rows of X-ClickHouse-Summary, -1 without.</summary>
    private static long WrittenRows(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("X-ClickHouse-Summary", out var values))
        {
            return -1;
        }

        try
        {
            using var summary = JsonDocument.Parse(string.Concat(values));
            return summary.RootElement.TryGetProperty("written_rows", out var written)
                && long.TryParse(written.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var rows)
                ? rows
                : -1;
        }
        catch (JsonException)
        {
            return -1;
        }
    }

    private static string FirstLine(string message)
    {
        var end = message.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? message : message[..end];
    }
}
