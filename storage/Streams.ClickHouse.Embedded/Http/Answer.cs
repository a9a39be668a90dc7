using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>Status, headers and body as ClickHouse sends them.</summary>
internal sealed class Answer
{
    // How long a client may take to find the frame, and again to notice the end before the connection is reset.
    private static readonly TimeSpan LingerLimit = TimeSpan.FromSeconds(1);

    private readonly HttpContext _context;
    private readonly EngineHost _host;
    private readonly string? _encoding;
    private readonly string _tag = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 16);

    public Answer(HttpContext context, EngineHost host, QueryRequest request)
    {
        _context = context;
        _host = host;
        _encoding = request.CompressResponse ? ContentEncodings.Choose(context.Request.Headers.AcceptEncoding.ToString()) : null;
        var headers = context.Response.Headers;
        headers[HeaderNames.ServerDisplayName] = "streams-clickhouse";
        headers[HeaderNames.QueryId] = request.QueryId;
        headers[HeaderNames.Timezone] = host.Timezone;
    }

    /// <summary>A whole answer.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> body, QuerySummary summary, string format)
    {
        await using var stream = BeginStream(format, summary, body.Length);
        await stream.WriteAsync(body, _context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>The stream to write the body to; disposing it ends the encoding.</summary>
    public Stream BeginStream(string format, QuerySummary? summary = null, long? length = null)
    {
        var response = _context.Response;
        response.ContentType = ContentTypes.Of(format);
        response.Headers[HeaderNames.Format] = format;
        response.Headers[HeaderNames.ExceptionTag] = _tag;
        if (summary is { } known)
            response.Headers[HeaderNames.Summary] = known.ToJson();
        if (_encoding is not null)
            response.Headers.ContentEncoding = _encoding;
        else
            response.ContentLength = length;
        return new BodyStream(ContentEncodings.Encode(_encoding, response.Body), ownsInner: _encoding is not null);
    }

    /// <summary>An error before anything was sent.</summary>
    public async Task FailAsync(EngineError error)
    {
        var response = _context.Response;
        if (response.HasStarted)
        {
            _context.Abort();
            return;
        }

        response.Headers.ContentEncoding = default;
        response.StatusCode = StatusCodeMap.Of(error.Code);
        response.Headers[HeaderNames.ExceptionCode] = error.Code.ToString(CultureInfo.InvariantCulture);
        response.ContentType = "text/plain; charset=UTF-8";
        var body = Encoding.UTF8.GetBytes(Text(error) + "\n");
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, _context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>
    /// An error after rows were sent: the frame that clients since 25.11 look for at the end, between the tag of the header, and then
    /// a body that is not ended properly, so that older clients notice too.
    /// </summary>
    public async Task BreakAsync(Stream stream, EngineError error)
    {
        var text = Text(error);
        var frame = string.Create(
            CultureInfo.InvariantCulture,
            $"\r\n__exception__\r\n{_tag}\r\n{text}\n{Encoding.UTF8.GetByteCount(text) + 1} {_tag}\r\n__exception__\r\n");
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var closed = _context.RequestAborted.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), gone);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(frame), _context.RequestAborted).ConfigureAwait(false);
        await stream.DisposeAsync().ConfigureAwait(false);
        await _context.Response.Body.FlushAsync(_context.RequestAborted).ConfigureAwait(false);
        // The end must come as an end: after a reset the client's kernel may drop the frame, and the .NET driver looks for it only
        // in a body that ended too early.
        // Node.js drops what it has buffered when the end comes early, so its client gets time to find the frame first.
        await Task.WhenAny(Task.Delay(LingerLimit), gone.Task).ConfigureAwait(false);
        if (!gone.Task.IsCompleted)
            _context.Features.Get<IConnectionSocketFeature>()?.Socket.Shutdown(SocketShutdown.Send);
        await Task.WhenAny(Task.Delay(LingerLimit), gone.Task).ConfigureAwait(false);
        _context.Abort();
    }

    private string Text(EngineError error) =>
        error.Message.Contains("(version ", StringComparison.Ordinal) ? error.Message : $"{error.Message} (version {_host.Version})";
}
