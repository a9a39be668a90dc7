using System.Net.Sockets;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Session;
using Streams.Schema;
using Streams.Wire.Handshake;

namespace Streams.AgentLink;

/// <summary>Connecting and reconnecting.</summary>
public sealed partial class AgentLink
{
    /// <summary>Unsent bytes in the kernel: enough to keep the line busy, little enough that the priorities above it mean
    /// something.</summary>
    private const int NotSentLowWater = 64 * 1024;
    private const int TcpNotSentLowAt = 25; // linux/tcp.h

    /// <summary>
    /// Connects, runs sessions and reconnects until <paramref name="stop"/> is cancelled; then closes the session and returns. Uncommitted
    /// batches stay: call <see cref="FlushAsync"/> before cancelling.
    /// </summary>
    public async ValueTask RunAsync(CancellationToken stop)
    {
        var backoff = new Backoff(_options.BackoffBase, _options.BackoffMax, Random.Shared);
        var bootId = BootId.Read();
        while (!stop.IsCancellationRequested)
        {
            var started = _time.GetTimestamp();
            var (end, lived) = await RunOnceAsync(bootId, stop).ConfigureAwait(false);
            _connected = false;
            if (lived)
            {
                _lanes.SealOpen();
            }

            if (stop.IsCancellationRequested)
            {
                return;
            }

            if (lived && _time.GetElapsedTime(started) > Backoff.Healthy)
            {
                backoff.Reset();
            }

            var wait = end.Reason == LinkEndReason.Expired ? TimeSpan.Zero : backoff.Next(end.RetryAfter);
            Tell(end.Reason == LinkEndReason.Refused ? LinkEventKind.Refused : LinkEventKind.Disconnected, end.Detail, wait);
            try
            {
                await Task.Delay(wait, _time, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<(LinkEnd End, bool Lived)> RunOnceAsync(UInt128 bootId, CancellationToken stop)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        WebSocketConnection? connection = null;
        try
        {
            connection = await ConnectAsync(socket, stop).ConfigureAwait(false);
            using var keys = await HandshakeAsync(connection, bootId, stop).ConfigureAwait(false);
            var (regressed, ahead) = _lanes.Resume(keys.Session.Watermarks, keys.Session.MaxOpenLanes);
            _space.Set();
            _session = keys.Session;
            _connected = true;
            _outbox.SessionBegan();
            _counters.SessionStarted();
            Tell(LinkEventKind.Connected, $"session {keys.Session.Generation} with {keys.Session.Gateway}");
            if (regressed > 0)
            {
                Tell(LinkEventKind.LaneRegressed,
                    $"the server lost committed batches of {regressed} lanes that are gone here too: counted as server_lost");
            }

            if (ahead > 0)
            {
                Tell(LinkEventKind.LaneAhead,
                    $"the server has batches of {ahead} lanes that this process did not send: a copy of it runs; "
                    + "new batches get a new epoch");
            }

            var session = new LinkSession(connection, keys, _lanes, _counters, _options, _hooks, _time, _signal, _space.Set, _identity, _outbox);
            return (await session.RunAsync(stop).ConfigureAwait(false), true);
        }
        catch (LinkEndedException ended)
        {
            _counters.AttemptFailed();
            await CloseAsync(connection, ended.End).ConfigureAwait(false);
            return (ended.End, false);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            _counters.AttemptFailed();
            var detail = exception is OperationCanceledException ? "timed out" : exception.Message;
            return (connection is null
                ? new LinkEnd(LinkEndReason.NotReached, $"{_options.Gateway.Authority}: {detail}")
                : new LinkEnd(LinkEndReason.Refused, $"handshake: {detail}", RefusalReason.TimedOut), false);
        }
    }

    private async Task<WebSocketConnection> ConnectAsync(Socket socket, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(_options.ConnectTimeout);
        var port = _options.Gateway.IsDefaultPort ? 80 : _options.Gateway.Port;
        await socket.ConnectAsync(_options.Gateway.IdnHost, port, limit.Token).ConfigureAwait(false);
        socket.NoDelay = true;
        if (OperatingSystem.IsLinux())
        {
            Span<byte> value = stackalloc byte[sizeof(int)];
            BitConverter.TryWriteBytes(value, NotSentLowWater);
            socket.SetRawSocketOption((int)ProtocolType.Tcp, TcpNotSentLowAt, value);
        }

        return await HttpUpgrade.RunAsync(socket, _options.Gateway.Authority, HandshakeContext.Binary, limit.Token).ConfigureAwait(false);
    }

    private async Task<HandshakeDriver.Established> HandshakeAsync(WebSocketConnection connection, UInt128 bootId, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(_options.HandshakeTimeout);
        var now = _time.GetUtcNow();
        var trusted = ClockFloor.Trusts(now, _options.ClockFloor);
        if (!trusted)
        {
            Tell(LinkEventKind.DatesNotChecked, $"this host's clock says {now:yyyy-MM-dd}, which cannot be: certificate dates are not checked; set the clock");
        }

        var claims = new AgentClaims((ulong)((now - DateTimeOffset.UnixEpoch).Ticks / 10), bootId, _lanes.EpochNumber,
            _hooks.NextConnectCounter(), Catalogue.Digest.ToArray());
        var expected = new GatewayExpectations(
            _options.Roots, _options.GatewayName, trusted ? now.ToUnixTimeSeconds() : null, _hooks.Revoked?.Invoke());
        var keys = await HandshakeDriver.RunAsync(connection, _identity, key: null, expected, claims, _arena, _time, limit.Token).ConfigureAwait(false);
        Note(keys);
        if (_arena.UnlockedBytes > 0)
        {
            Tell(LinkEventKind.KeysNotLocked, $"{_arena.UnlockedBytes} bytes of keys are not locked into memory: raise RLIMIT_MEMLOCK");
        }

        return keys;
    }

    /// <summary>
    /// A list that no pinned root has signed is dropped, and the link says so: it cannot do more harm than no list. One that names the gateway that shows it ends
    /// the attempt.
    /// </summary>
    private void Note(HandshakeDriver.Established keys)
    {
        if (keys.Session.Revocations.IsEmpty)
        {
            return;
        }

        if (!RevocationList.TryParse(keys.Session.Revocations.Span, out var list) || !list!.IsSignedBy(_options.Roots))
        {
            Tell(LinkEventKind.RevocationsRefused, "the gateway's list of revoked gateways is not signed by a pinned root: ignored");
            return;
        }

        _hooks.OnRevocations?.Invoke(list);
        if (list.Contains(keys.Gateway.Serial))
        {
            keys.Dispose();
            throw HandshakeDriver.Refused(RefusalReason.CertificateRevoked);
        }
    }

    /// <summary>Tells the gateway why, if that is quick; the connection is dropped either way.</summary>
    private async Task CloseAsync(WebSocketConnection? connection, LinkEnd end)
    {
        if (connection is null)
        {
            return;
        }

        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await connection.SendCloseAsync(end.Close, limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer is gone already; the reason that counts is the first one.
        }
    }
}
