namespace Streams.ClickHouse.Embedded.Http;

/// <summary>The paths of ClickHouse's HTTP interface.</summary>
internal static class Routes
{
    private static readonly byte[] Ok = "Ok.\n"u8.ToArray();
    private static readonly byte[] NotFound = "There is no handle for this path.\n\nUse / or /ping for health checks. Or send queries from your program with POST method or GET method /?query=...\n"u8.ToArray();

    public static Task HandleAsync(HttpContext context, QueryEndpoint endpoint)
    {
        var path = context.Request.Path.Value;
        var isRead = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        // Health checks carry no credentials; the answer tells only that the process lives.
        if (isRead && (path is "/ping" or "/replicas_status" || (path is "/" or "" && !context.Request.QueryString.HasValue)))
            return TextAsync(context, StatusCodes.Status200OK, Ok);
        if (path is "/" or "" or "/query" && (isRead || HttpMethods.IsPost(context.Request.Method) || HttpMethods.IsPut(context.Request.Method)))
            return endpoint.HandleAsync(context);
        return TextAsync(context, StatusCodes.Status404NotFound, NotFound);
    }

    private static Task TextAsync(HttpContext context, int status, byte[] text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=UTF-8";
        context.Response.ContentLength = text.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(text).AsTask();
    }
}
