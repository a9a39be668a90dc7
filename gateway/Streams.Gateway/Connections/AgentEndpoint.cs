using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Streams.Gateway.Auth;
using Streams.Gateway.Upgrade;
using Streams.Wire;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Connections;

/// <summary>
/// The WebSocket endpoint. What is refused before the upgrade is refused with a plain HTTP status and costs next to nothing: that is what a flood meets first. After
/// the upgrade every refusal is the handshake's one and only.
/// </summary>
internal sealed class AgentEndpoint(GatewayCore core, SourceBuckets sources, HandshakeGate gate, bool secure)
{
    /// <summary>Who is refused for load comes back within so many seconds, spread: 1,024 places of 5 s at most take a fleet of 10,000 in ten rounds.</summary>
    private const int BusySeconds = 16;

    /// <summary>How long the end of a session may take to leave for a peer that does not read.</summary>
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(3);

    private int _connections;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>One connection, from its first byte of HTTP to its end.</summary>
    public async Task HandleAsync(ConnectionContext connection)
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        var remote = address?.ToString() ?? "unknown";
        var (status, request) = await ReadAsync(connection.Transport.Input).ConfigureAwait(false);
        if (status == UpgradeReader.Incomplete)
        {
            return;
        }

        var refusal = await JudgeAsync(connection, status, request, SourcePrefix.Of(address)).ConfigureAwait(false);
        if (refusal is { } because)
        {
            await RefuseAsync(connection, because, remote).ConfigureAwait(false);
            return;
        }

        var admission = connection.Features.GetRequiredFeature<Admission>();
        var selected = HandshakeContext.Select(request!.Offers)!;
        Interlocked.Increment(ref _connections);
        try
        {
            UpgradeAnswer.WriteGrant(connection.Transport.Output, request, selected);
            await RunAsync(connection, new HandshakeContext(request.Offers, selected, request.Target), remote, admission).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            core.Metrics.Error("connection");
            core.Logger.ConnectionFault(remote, fault);
            connection.Abort();
        }
        finally
        {
            admission.Handshake!.Leave();
            Interlocked.Decrement(ref _connections);
        }
    }

    /// <summary>Null when the request has a place among the handshakes.</summary>
    private async ValueTask<Refusal?> JudgeAsync(ConnectionContext connection, int status, UpgradeRequest? request, SourcePrefix source)
    {
        // With TLS the token was taken before the TLS handshake.
        if (!secure && !sources.TryTake(source, Environment.TickCount64))
        {
            return Refusal.Busy(429, "source_rate");
        }

        if (core.IsDraining)
        {
            return new Refusal(503, "draining", TimeSpan.FromMilliseconds(core.DrainDelay()));
        }

        if (status != UpgradeReader.Good)
        {
            return new Refusal(status, "upgrade", TimeSpan.Zero);
        }

        if (HandshakeContext.Select(request!.Offers) is null)
        {
            return new Refusal(400, "upgrade", TimeSpan.Zero);
        }

        var (place, full) = await gate.EnterAsync(source).ConfigureAwait(false);
        if (place is null)
        {
            return Refusal.Busy(full == HandshakeGate.SourceFull ? 429 : 503, full!);
        }

        connection.Features.GetRequiredFeature<Admission>().Handshake = place;
        return null;
    }

    private async Task RunAsync(ConnectionContext connection, HandshakeContext context, string remote, Admission admission)
    {
        // Compression is never negotiated: a compressed ciphertext is larger, and its state costs 64 KB a connection. Pings neither: heartbeats are sealed.
        var socket = WebSocket.CreateFromStream(
            new TransportStream(connection.Transport),
            new WebSocketCreationOptions { IsServer = true, SubProtocol = context.SelectedSubprotocol, KeepAliveInterval = Timeout.InfiniteTimeSpan });
        await new AgentConnection(core, socket, remote, context.SelectedSubprotocol == Protocol.JsonSubprotocol).RunAsync(context, admission).ConfigureAwait(false);
        if (socket.State == WebSocketState.Aborted)
        {
            connection.Abort();
        }
        else
        {
            _ = EndAsync(connection);
        }
    }

    /// <summary>What was written goes out when this connection's task has ended; not to a peer that takes nothing, or the connection would be there for ever.</summary>
    private static async Task EndAsync(ConnectionContext connection)
    {
        // Not shorter when the peer closes its half: ours may still be on its way.
        await Task.Delay(CloseTime).ConfigureAwait(false);
        connection.Abort();
    }

    /// <summary>The request, or the status to refuse it with; <see cref="UpgradeReader.Incomplete"/> when the peer is gone.</summary>
    private async ValueTask<(int Status, UpgradeRequest? Request)> ReadAsync(PipeReader input)
    {
        var deadline = new RequestDeadline(core, input, Environment.TickCount64 + (Limits.HandshakeSeconds * 1000L));
        core.Wheel.Add(deadline);
        try
        {
            while (true)
            {
                var result = await input.ReadAsync().ConfigureAwait(false);
                var status = UpgradeReader.Read(result.Buffer, out var length, out var request);
                if (status == UpgradeReader.Good)
                {
                    input.AdvanceTo(result.Buffer.GetPosition(length));
                    return (status, request);
                }

                var silent = result.Buffer.IsEmpty;
                input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                if (status != UpgradeReader.Incomplete)
                {
                    return (status, null);
                }

                if (result.IsCanceled || result.IsCompleted)
                {
                    // A peer that has said nothing is told nothing.
                    return (result.IsCompleted || silent ? UpgradeReader.Incomplete : 408, null);
                }
            }
        }
        catch (Exception error) when (SocketFault.IsGone(error))
        {
            return (UpgradeReader.Incomplete, null);
        }
        finally
        {
            core.Wheel.Remove(deadline);
        }
    }

    private async ValueTask RefuseAsync(ConnectionContext connection, Refusal refusal, string remote)
    {
        core.Metrics.Refused(refusal.Reason);
        core.StrangerLog.Line()?.ConnectionRefused(remote, refusal.Reason);
        core.Records.Refused(refusal.Reason, remote);
        try
        {
            UpgradeAnswer.WriteRefusal(connection.Transport.Output, refusal.Status, refusal.RetryAfter, core.Time.GetUtcNow());
            await connection.Transport.Output.FlushAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (SocketFault.IsGone(error))
        {
            // It did not wait for the answer.
        }
    }

    /// <param name="Reason">As a metric and a row have it.</param>
    private readonly record struct Refusal(int Status, string Reason, TimeSpan RetryAfter)
    {
        public static Refusal Busy(int status, string reason) => new(status, reason, TimeSpan.FromSeconds(Random.Shared.Next(1, BusySeconds)));
    }
}
