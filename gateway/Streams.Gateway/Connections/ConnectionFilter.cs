using System.Net;
using Microsoft.AspNetCore.Connections;
using Streams.Gateway.Auth;
using Streams.Wire;

namespace Streams.Gateway.Connections;

/// <summary>
/// What is done with a connection before its first byte of TLS or HTTP: from a proxy that may name the source, the header; with TLS, the source's token and a place
/// among the handshakes, because a TLS handshake costs more than all that a plain upgrade does.
/// </summary>
internal sealed class ConnectionFilter(GatewayCore core, SourceBuckets sources, HandshakeGate secureGate)
{
    private static readonly TimeSpan HeaderTime = TimeSpan.FromSeconds(Limits.HandshakeSeconds);

    /// <summary>Reads the proxy's header where one must be. From any other address its bytes are what any other bytes are: no HTTP.</summary>
    public async Task ProxyAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (IsProxy(connection.RemoteEndPoint))
        {
            if (!await TryReadHeaderAsync(connection).ConfigureAwait(false))
            {
                core.Metrics.Refused("proxy_header");
                core.Logger.ConnectionRefused($"{connection.RemoteEndPoint}", "proxy_header");
                core.Records.Refused("proxy_header", $"{(connection.RemoteEndPoint as IPEndPoint)?.Address}");
                connection.Abort();
                return;
            }
        }

        await next(connection).ConfigureAwait(false);
    }

    /// <summary>Stands before the TLS handshake.</summary>
    public async Task BeforeSecureAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var reason = !sources.TryTake(SourcePrefix.Of((connection.RemoteEndPoint as IPEndPoint)?.Address), Environment.TickCount64) ? "source_rate"
            : !await secureGate.EnterAsync(CancellationToken.None).ConfigureAwait(false) ? "handshake_queue"
            : null;
        if (reason is not null)
        {
            // Nothing can be said before there is TLS; an agent that is cut off here backs off by itself.
            core.Metrics.Refused(reason);
            core.Logger.ConnectionRefused($"{connection.RemoteEndPoint}", reason);
            core.Records.Refused(reason, $"{(connection.RemoteEndPoint as IPEndPoint)?.Address}");
            connection.Abort();
            return;
        }

        var place = new SecurePlace(secureGate);
        connection.Features.Set(place);
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
        connection.Features.Get<SecurePlace>()?.Leave();
        return next(connection);
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

    /// <summary>A place at the gate, given back once.</summary>
    private sealed class SecurePlace(HandshakeGate gate)
    {
        private int _left;

        public void Leave()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                gate.Leave();
            }
        }
    }
}
