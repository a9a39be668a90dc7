using System.Net.Sockets;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Session;
using Streams.Schema;
using Streams.Wire.Handshake;

namespace Streams.AgentLink;

/// <summary>Connecting and reconnecting.</summary>
public sealed partial class AgentLink
{
    /// <summary>
    /// Connects, runs sessions and reconnects until <paramref name="stop"/> is cancelled; then closes the session and returns. Uncommitted
    /// batches stay: call <see cref="FlushAsync"/> before cancelling.
    /// </summary>
    public async ValueTask RunAsync(CancellationToken stop)
    {
        var backoff = new Backoff(_options.BackoffBase, _options.BackoffMax, Random.Shared);
        var bootId = BootId.Read();
        ProveLeft();
        var gateways = new GatewayRounds([_options.Gateway, .. _options.OtherGateways], Random.Shared, _time);
        while (!stop.IsCancellationRequested)
        {
            var started = _time.GetTimestamp();
            var (end, lived) = await RunRoundAsync(gateways, bootId, stop).ConfigureAwait(false);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            if (lived && _time.GetElapsedTime(started) > Backoff.Healthy)
            {
                backoff.Reset();
            }

            var wait = end.Reason == LinkEndReason.Expired ? TimeSpan.Zero : backoff.Next(lived ? end.RetryAfter : gateways.Wish());
            Tell(end, wait);
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

    /// <summary>One gateway after the other until there was a session; its end, or that of the last attempt.</summary>
    private async Task<(LinkEnd End, bool Lived)> RunRoundAsync(GatewayRounds gateways, UInt128 bootId, CancellationToken stop)
    {
        LinkEnd? last = null;
        foreach (var gateway in gateways.Round())
        {
            if (last is not null)
            {
                Tell(last, TimeSpan.Zero);
            }

            var (end, lived) = await RunOnceAsync(gateways[gateway], bootId, stop).ConfigureAwait(false);
            _connected = false;
            if (lived)
            {
                _lanes.SealOpen();
            }

            if (lived || stop.IsCancellationRequested)
            {
                return (end, lived);
            }

            gateways.Refused(gateway, end.RetryAfter);
            last = gateways.Count == 1 || end.Detail.StartsWith(gateways[gateway].Authority, StringComparison.Ordinal)
                ? end : end with { Detail = $"{gateways[gateway].Authority}: {end.Detail}" };
        }

        return (last!, false);
    }

    private void Tell(LinkEnd end, TimeSpan wait) =>
        Tell(end.Reason == LinkEndReason.Refused ? LinkEventKind.Refused : LinkEventKind.Disconnected, end.Detail, wait);

    private async Task<(LinkEnd End, bool Lived)> RunOnceAsync(Uri gateway, UInt128 bootId, CancellationToken stop)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        WebSocketConnection? connection = null;
        try
        {
            connection = await ConnectAsync(socket, gateway, stop).ConfigureAwait(false);
            var identity = Identity;
            using var keys = await HandshakeAsync(connection, identity, bootId, stop).ConfigureAwait(false);
            UseCatalogue(Math.Min(keys.Session.CatalogueVersion, Catalogue.Version));
            var (regressed, ahead) = _lanes.Resume(keys.Session.Watermarks, keys.Session.MaxOpenLanes, CatalogueVersion);
            _space.Set();
            _session = keys.Session;
            _gateway = keys.Gateway;
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

            var session = new LinkSession(connection, keys, _lanes, _counters, _options, _hooks, _time, _signal, _space.Set, identity, _outbox);
            _running = session;
            return (await session.RunAsync(stop).ConfigureAwait(false), true);
        }
        catch (LinkEndedException ended)
        {
            _counters.AttemptFailed();
            await CloseAsync(connection, ended.End).ConfigureAwait(false);
            return (ended.End, false);
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException or OperationCanceledException or ObjectDisposedException)
        {
            _counters.AttemptFailed();
            var detail = exception is OperationCanceledException ? "timed out" : exception.Message;
            return (connection is null
                ? new LinkEnd(LinkEndReason.NotReached, $"{gateway.Authority}: {detail}")
                : new LinkEnd(LinkEndReason.Refused, $"handshake: {detail}", RefusalReason.TimedOut), false);
        }
    }

    /// <summary>A batch in a newer catalogue than the server's would only be held there. What is named already stays as it is.</summary>
    private void UseCatalogue(ushort version)
    {
        lock (_appendGate)
        {
            _catalogue = version;
            if (_proofs is { } proofs)
            {
                proofs.Enabled = LedgerClasses.BatchProof.VersionIn(version) > 0;
            }
        }
    }

    private async Task<WebSocketConnection> ConnectAsync(Socket socket, Uri gateway, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(_options.ConnectTimeout);
        return await Dialer.RunAsync(socket, gateway, _options, limit.Token).ConfigureAwait(false);
    }

    private async Task<HandshakeDriver.Established> HandshakeAsync(
        WebSocketConnection connection, AgentIdentity identity, UInt128 bootId, CancellationToken stop)
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
            Roots, _options.GatewayName, trusted ? now.ToUnixTimeSeconds() : null, _hooks.Revoked?.Invoke());
        var keys = await HandshakeDriver.RunAsync(connection, identity, key: null, expected, claims, _arena, _time, limit.Token).ConfigureAwait(false);
        try
        {
            Note(keys);
        }
        catch
        {
            // Whoever keeps the list may have failed, too: a full disk must not cost a place of the arena with every attempt.
            keys.Dispose();
            throw;
        }

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

        if (!RevocationList.TryParse(keys.Session.Revocations.Span, out var list) || !list!.IsSignedBy(Roots))
        {
            Tell(LinkEventKind.RevocationsRefused, "the gateway's list of revoked gateways is not signed by a pinned root: ignored");
            return;
        }

        _hooks.OnRevocations?.Invoke(list);
        if (list.Contains(keys.Gateway.Serial))
        {
            throw HandshakeDriver.Refused(RefusalReason.CertificateRevoked);
        }
    }

    private AgentIdentity Identity => _hooks.Identity?.Invoke() ?? _identity;

    private FleetRoots Roots => _hooks.Roots?.Invoke() ?? _options.Roots;

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
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer is gone already; the reason that counts is the first one.
        }
    }
}
