using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Streams.Gateway.Auth;
using Streams.Wire;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Connections;

/// <summary>
/// The WebSocket endpoint. What is refused before the upgrade is refused with a plain HTTP status and costs next to nothing: that is what a flood meets first. After
/// the upgrade every refusal is the handshake's one and only.
/// </summary>
internal sealed class AgentEndpoint(GatewayCore core, SourceBuckets sources, HandshakeGate gate)
{
    /// <summary>Who is refused for load comes back within so many seconds, spread: 1,024 places of 5 s at most take a fleet of 10,000 in ten rounds.</summary>
    private const int BusySeconds = 16;

    private int _connections;

    public int Connections => Volatile.Read(ref _connections);

    public async Task HandleAsync(HttpContext http)
    {
        var remote = http.Connection.RemoteIpAddress?.ToString() ?? "unknown";
        var source = SourcePrefix.Of(http.Connection.RemoteIpAddress);
        // With TLS the token was taken before the TLS handshake.
        if (!http.Request.IsHttps && !sources.TryTake(source, Environment.TickCount64))
        {
            Refuse(http, StatusCodes.Status429TooManyRequests, "source_rate", remote, TimeSpan.FromSeconds(Random.Shared.Next(1, BusySeconds)));
            return;
        }

        if (core.IsDraining)
        {
            Refuse(http, StatusCodes.Status503ServiceUnavailable, "draining", remote, TimeSpan.FromMilliseconds(core.DrainDelay()));
            return;
        }

        // More than one header: which one the transcript has would be a matter of opinion (RFC 6455 4.1 allows several).
        var offers = http.Request.Headers.SecWebSocketProtocol;
        if (!http.WebSockets.IsWebSocketRequest || offers.Count > 1 || HandshakeContext.Select(offers.ToString()) is not { } selected)
        {
            Refuse(http, StatusCodes.Status400BadRequest, "upgrade", remote);
            return;
        }

        // Without RequestAborted: asking for it makes Kestrel keep a token source as long as the connection lives. A peer that went is seen at M1.
        var (place, full) = await gate.EnterAsync(source).ConfigureAwait(false);
        if (place is null)
        {
            var status = full == HandshakeGate.SourceFull ? StatusCodes.Status429TooManyRequests : StatusCodes.Status503ServiceUnavailable;
            Refuse(http, status, full!, remote, TimeSpan.FromSeconds(Random.Shared.Next(1, BusySeconds)));
            return;
        }

        var admission = http.Features.GetRequiredFeature<Admission>();
        admission.Handshake = place;
        await AcceptAsync(http, new HandshakeContext(offers.ToString(), selected, Target(http)), selected, remote, admission).ConfigureAwait(false);
    }

    private async Task AcceptAsync(HttpContext http, HandshakeContext context, string selected, string remote, Admission admission)
    {
        Interlocked.Increment(ref _connections);
        try
        {
            // Compression is never negotiated: a compressed ciphertext is larger, and its state costs 64 KB a connection. Pings neither: heartbeats are sealed.
            var socket = await http.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
            {
                SubProtocol = selected,
                DangerousEnableCompression = false,
                KeepAliveInterval = Timeout.InfiniteTimeSpan,
            }).ConfigureAwait(false);
            await new AgentConnection(core, socket, remote, selected == Protocol.JsonSubprotocol).RunAsync(context, admission).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            core.Metrics.Error("connection");
            core.Logger.ConnectionFault(remote, fault);
            http.Abort();
        }
        finally
        {
            admission.Handshake!.Leave();
            Interlocked.Decrement(ref _connections);
        }
    }

    /// <summary>The request target exactly as it was sent: it is in the transcript.</summary>
    private static string Target(HttpContext http) => http.Features.Get<IHttpRequestFeature>()?.RawTarget is { Length: > 0 } target ? target : Protocol.Path;

    private void Refuse(HttpContext http, int status, string reason, string remote, TimeSpan retryAfter = default)
    {
        core.Metrics.Refused(reason);
        core.StrangerLog.Line()?.ConnectionRefused(remote, reason);
        core.Records.Refused(reason, remote);
        http.Response.StatusCode = status;
        if (retryAfter > TimeSpan.Zero)
        {
            http.Response.Headers.RetryAfter = ((int)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        http.Response.Headers.Connection = new StringValues("close");
    }
}
