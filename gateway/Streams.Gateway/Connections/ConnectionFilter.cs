using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Streams.Gateway.Auth;
using Streams.Wire;

namespace Streams.Gateway.Connections;

/// <summary>
/// What is done with a connection before its first byte of TLS or HTTP: from a proxy that may name the source, the header; then a place among the source's
/// connections; with TLS, the source's token and a place among the handshakes, because a TLS handshake costs more than all that a plain upgrade does.
/// </summary>
internal sealed class ConnectionFilter(GatewayCore core, SourceBuckets sources, SourcePlaces places, HandshakeGate secureGate)
{
    private static readonly TimeSpan HeaderTime = TimeSpan.FromSeconds(Limits.HandshakeSeconds);

    /// <summary>Reads the proxy's header where one must be. From any other address its bytes are what any other bytes are: no HTTP.</summary>
    public async Task ProxyAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (IsProxy(connection.RemoteEndPoint))
        {
            if (!await TryReadHeaderAsync(connection).ConfigureAwait(false))
            {
                Refuse(connection, "proxy_header");
                return;
            }
        }

        await next(connection).ConfigureAwait(false);
    }

    /// <summary>
    /// Counts what has no session yet against its source, from the first byte on: before there is a request nothing else does. Loopback counts as any other address,
    /// and a proxy's connections count for the source that its header names.
    /// </summary>
    public async Task AdmitAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var source = Source(connection);
        if (!places.TryEnter(source))
        {
            Refuse(connection, "source_connections");
            return;
        }

        var admission = new Admission(new Place(() => places.Leave(source)));
        connection.Features.Set(admission);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            admission.Connection.Leave();
        }
    }

    /// <summary>Stands before the TLS handshake.</summary>
    public async Task BeforeSecureAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var source = Source(connection);
        var (place, reason) = sources.TryTake(source, Environment.TickCount64)
            ? await secureGate.EnterAsync(source).ConfigureAwait(false)
            : (null, "source_rate");
        if (place is null)
        {
            Refuse(connection, reason!);
            return;
        }

        connection.Features.GetRequiredFeature<Admission>().Secure = place;
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            place.Leave();
        }
    }

    /// <summary>Stands behind the TLS handshake.</summary>
    public static Task AfterSecureAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        connection.Features.GetRequiredFeature<Admission>().Secure?.Leave();
        return next(connection);
    }

    private static SourcePrefix Source(ConnectionContext connection) => SourcePrefix.Of((connection.RemoteEndPoint as IPEndPoint)?.Address);

    /// <summary>Nothing can be said before there is TLS or a request; an agent that is cut off here backs off by itself.</summary>
    private void Refuse(ConnectionContext connection, string reason)
    {
        core.Metrics.Refused(reason);
        core.StrangerLog.Line()?.ConnectionRefused($"{connection.RemoteEndPoint}", reason);
        core.Records.Refused(reason, $"{(connection.RemoteEndPoint as IPEndPoint)?.Address}");
        connection.Abort();
    }

    private bool IsProxy(EndPoint? remote)
    {
        if (core.Options.ProxyFrom.Count == 0 || remote is not IPEndPoint { Address: var address })
        {
            return false;
        }

        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return core.Options.ProxyFrom.Any(network => network.Contains(plain));
    }

    private static async Task<bool> TryReadHeaderAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        using var patience = new CancellationTokenSource(HeaderTime);
        try
        {
            while (true)
            {
                var result = await input.ReadAsync(patience.Token).ConfigureAwait(false);
                var state = ProxyHeader.Read(result.Buffer, out var length, out var source);
                if (state == ProxyHeaderState.Complete)
                {
                    connection.RemoteEndPoint = source ?? connection.RemoteEndPoint;
                    input.AdvanceTo(result.Buffer.GetPosition(length));
                    return true;
                }

                input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                if (state == ProxyHeaderState.Malformed || result.IsCompleted)
                {
                    return false;
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            return false;
        }
    }
}
