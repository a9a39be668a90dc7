using System.Buffers;
using System.Diagnostics;
using System.Text;
using Streams.ClickHouse.Embedded.Engine;
using Streams.ClickHouse.Embedded.Hosting;
using Streams.ClickHouse.Embedded.Sql;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>
/// One request of ClickHouse's HTTP interface: who asks, what is asked, where the rows are, then the engine.
/// Rows go in through a memory file (inline data is not binary safe in libchdb) and come out through a pipe, so that the engine formats
/// an answer of any size in one stream and waits while the client does not read. libchdb's own streaming calls repeat the header
/// of the format in every block and are of no use for that.
/// </summary>
internal sealed partial class QueryEndpoint(
    EngineHost host, Credentials credentials, SpoolBudget budget, ServerOptions options, ServerMetrics metrics, ILogger<QueryEndpoint> log)
{
    // ClickHouse's max_query_size: the statement itself has to be within it, so rows begin within it too.
    private const int FrontBytes = 256 * 1024;
    // A query of more than that is refused before the engine sees it (its own bound is max_query_size).
    private const int MaxTextBytes = 16 * 1024 * 1024;

    public async Task HandleAsync(HttpContext context)
    {
        var started = Stopwatch.GetTimestamp();
        metrics.Received();
        var request = QueryRequest.Read(context.Request, out var invalid);
        var answer = new Answer(context, host, request);
        EngineError? error;
        try
        {
            error = Authentication.Check(context.Request, credentials, out var reader) ?? invalid;
            request.IsReader = reader;
            error ??= await ServeAsync(context, request, answer).ConfigureAwait(false);
        }
        catch (BadHttpRequestException bad)
        {
            error = bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? budget.Refusal(budget.Each, 1)
                : EngineError.Raise(EngineError.BadArguments, "BAD_ARGUMENTS", bad.Message);
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
        {
            error = EngineError.Raise(EngineError.CannotDecompress, "CANNOT_DECOMPRESS", $"The request body is not what its Content-Encoding says: {fault.Message}");
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            error = EngineError.Raise(
                EngineError.TimeoutExceeded, "TIMEOUT_EXCEEDED",
                $"The query did not begin within half of its max_execution_time ({request.StartLimit?.TotalSeconds:0.#} s): its body was not complete");
        }
        catch (Exception fault) when (context.RequestAborted.IsCancellationRequested && fault is OperationCanceledException or IOException)
        {
            metrics.Failed(EngineError.QueryWasCancelled);
            LogAbandoned(request.QueryId, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            return;
        }
        catch (Exception fault)
        {
            // A defect of ours: the client gets an answer in its own protocol, the operator the whole of it.
            LogFault(fault, request.QueryId);
            error = EngineError.Raise(EngineError.LogicalError, "LOGICAL_ERROR", "streams-clickhouse failed; its log has the reason");
        }

        if (error is not null)
        {
            metrics.Failed(error.Code);
            await FailAsync(answer, error).ConfigureAwait(false);
        }

        LogServed(request.QueryId, error?.Code ?? 0, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    private static async Task FailAsync(Answer answer, EngineError error)
    {
        try
        {
            await answer.FailAsync(error).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException)
        {
            // The client left before its error came.
        }
    }

    private async Task<EngineError?> ServeAsync(HttpContext context, QueryRequest request, Answer answer)
    {
        var isForm = context.Request.ContentType is { } type && type.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase);
        if (isForm && await request.ReadFormAsync(context.Request, MaxTextBytes, context.RequestAborted).ConfigureAwait(false) is { } unusable)
            return unusable;
        await using var body = RequestBody.Open(context.Request, out var error);
        if (body is null)
            return error;
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        if (request.StartLimit is { } limit)
            starting.CancelAfter(limit);
        var front = ArrayPool<byte>.Shared.Rent(FrontBytes);
        try
        {
            var text = Encoding.UTF8.GetBytes(request.Query).AsMemory();
            var statement = Statement.Parse(text.Span);
            var rowsInBody = statement.Kind == StatementKind.InsertData;
            if (!rowsInBody)
            {
                // ClickHouse reads the query of the URL, a line feed and the body as one text.
                var length = 0;
                if (!text.IsEmpty)
                {
                    if (text.Length >= FrontBytes)
                        return TooLong();
                    text.CopyTo(front);
                    front[text.Length] = (byte)'\n';
                    length = text.Length + 1;
                }

                length += await body.ReadFrontAsync(front.AsMemory(length, FrontBytes - length), starting.Token).ConfigureAwait(false);
                text = front.AsMemory(0, length);
                statement = Statement.Parse(text.Span);
                if (length == FrontBytes && statement.Kind != StatementKind.InsertData)
                {
                    (text, error) = await ReadLongAsync(text, body, starting.Token).ConfigureAwait(false);
                    if (error is not null)
                        return error;
                    statement = Statement.Parse(text.Span);
                }
            }

            if (statement.Error is not null)
                return statement.Error;
            if (request.IsReader && ReaderFence.Check(text.Span, request.Database, request.Settings) is { } fenced)
                return fenced;
            statement.BlankSync(text.Span);
            var readOnly = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
            return statement.Kind switch
            {
                StatementKind.Empty => EngineError.Raise(EngineError.SyntaxError, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): . Empty query"),
                StatementKind.InsertData => await InsertAsync(context, request, answer, statement, text, body, readOnly, starting.Token).ConfigureAwait(false),
                StatementKind.Output => await SelectAsync(context, request, answer, statement, text, readOnly).ConfigureAwait(false),
                _ => await RunAsync(context, request, answer, text.ToArray(), readOnly).ConfigureAwait(false),
            };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(front);
        }
    }

    private static async ValueTask<(Memory<byte> Text, EngineError? Error)> ReadLongAsync(Memory<byte> front, RequestBody body, CancellationToken cancel)
    {
        var all = new byte[MaxTextBytes];
        front.CopyTo(all);
        var length = front.Length + await body.ReadFrontAsync(all.AsMemory(front.Length), cancel).ConfigureAwait(false);
        return length == MaxTextBytes ? (default, TooLong()) : (all.AsMemory(0, length), null);
    }

    private static EngineError TooLong() => EngineError.Raise(
        EngineError.QueryIsTooLarge, "QUERY_IS_TOO_LARGE",
        $"The text of the query is too long (at most {FrontBytes} bytes in the URL, {MaxTextBytes} in the body)");

    private async Task<EngineError?> InsertAsync(
        HttpContext context, QueryRequest request, Answer answer, Statement statement, Memory<byte> text, RequestBody body, bool readOnly,
        CancellationToken starting)
    {
        // Parameters in VALUES are expressions of the statement; the rows of a file cannot see them.
        if (statement.IsValues && request.Parameters.Count > 0)
            return await RunAsync(context, request, answer, text.ToArray(), readOnly).ConfigureAwait(false);
        using var rows = new MemoryFile(budget);
        var inline = text[statement.DataStart..];
        if (!rows.TryAppend(inline.Span))
            return budget.Refusal(0, inline.Length);
        var refused = await body.SpoolAsync(rows, budget, starting).ConfigureAwait(false);
        if (refused is not null)
            return refused;
        metrics.BodyBytes(rows.Length);
        var sql = Splice.Insert(text.Span, statement, rows.Path);
        return await RunAsync(context, request, answer, sql, readOnly, starting).ConfigureAwait(false);
    }

    private async Task<EngineError?> RunAsync(
        HttpContext context, QueryRequest request, Answer answer, byte[] sql, bool readOnly, CancellationToken? starting = null)
    {
        var plan = Plan(request, sql, readOnly);
        var (query, busy) = await StartAsync(plan, static () => { }, starting ?? context.RequestAborted).ConfigureAwait(false);
        if (query is null)
            return busy;
        await using var cancelling = query.CancelOn(context.RequestAborted);
        var result = await query.Result.ConfigureAwait(false);
        context.RequestAborted.ThrowIfCancellationRequested();
        if (result.Error is not null)
            return result.Error;
        metrics.Written(result.Summary.WrittenRows);
        await answer.SendAsync(result.Output, result.Summary, request.Format).ConfigureAwait(false);
        return null;
    }

    private async Task<EngineError?> SelectAsync(
        HttpContext context, QueryRequest request, Answer answer, Statement statement, Memory<byte> text, bool readOnly)
    {
        var (reader, writer) = Interop.Files.CreatePipe();
        using (reader)
        {
            var format = statement.Format ?? request.Format;
            var plan = Plan(request, Splice.Output(text.Span, statement, writer, format), readOnly);
            // Our end of the pipe closes when the engine is done: then the reader sees the end, whether the engine opened it or not.
            var (query, busy) = await StartAsync(plan, writer.Dispose, context.RequestAborted).ConfigureAwait(false);
            if (query is null)
            {
                writer.Dispose();
                return busy;
            }

            await using var cancelling = query.CancelOn(context.RequestAborted);
            try
            {
                return await new ResultPump(answer, reader, budget).RunAsync(query, format, request.WaitEnd, context.RequestAborted).ConfigureAwait(false);
            }
            catch
            {
                // Whatever stopped us, the engine must not go on writing into a pipe that nobody reads.
                reader.Dispose();
                await query.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private async ValueTask<(RunningQuery? Query, EngineError? Busy)> StartAsync(QueryPlan plan, Action ended, CancellationToken cancel)
    {
        var connection = await host.RentAsync(options.WaitLimit, cancel).ConfigureAwait(false);
        return connection is not null
            ? (RunningQuery.Start(host, connection, plan, ended), null)
            : (null, EngineError.Raise(
                EngineError.TooManySimultaneousQueries, "TOO_MANY_SIMULTANEOUS_QUERIES",
                $"Too many simultaneous queries: all {options.MaxConnections} connections were busy for {options.WaitLimit.TotalSeconds:0} s; try again, or start streams-clickhouse with a larger --max-connections"));
    }

    private static QueryPlan Plan(QueryRequest request, byte[] sql, bool readOnly) => new()
    {
        Sql = sql,
        Format = request.Format,
        Parameters = request.Parameters,
        Settings = request.Settings,
        Database = request.Database,
        ReadOnly = readOnly,
        Reader = request.IsReader,
    };

    [LoggerMessage(7012, LogLevel.Error, "query {QueryId} met a defect")]
    private partial void LogFault(Exception fault, string queryId);

    // Texts of queries and users' names are not logged: they hold what the rows hold.
    [LoggerMessage(7010, LogLevel.Debug, "query {QueryId} ended with code {Code} after {Milliseconds:0.0} ms")]
    private partial void LogServed(string queryId, int code, double milliseconds);

    [LoggerMessage(7011, LogLevel.Information, "query {QueryId} was abandoned by its client after {Milliseconds:0} ms and cancelled")]
    private partial void LogAbandoned(string queryId, double milliseconds);
}
