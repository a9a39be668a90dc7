using System.Buffers.Text;
using Microsoft.Extensions.Logging;
using Streams.Control.Identity;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Wire;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Gateway.Registration;

/// <summary>
/// What fleet roots say to all agents, as the store has it: the list of revoked gateways, in F0 and to living sessions when it changes, and
/// the next root. The gateway passes on what has the right form and judges nothing: it pins no root, the agents do.
/// </summary>
internal sealed class FleetStatements : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly RevocationStore _store;
    private readonly Func<IEnumerable<AgentSession>> _sessions;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private volatile byte[] _revocations = [];
    private volatile byte[] _succession = [];

    public FleetStatements(RevocationStore store, Func<IEnumerable<AgentSession>> sessions, ILogger logger, TimeProvider time)
    {
        _store = store;
        _sessions = sessions;
        _logger = logger;
        _time = time;
        _loop = Task.Run(WatchAsync);
    }

    /// <summary>The newest list; empty when there is none.</summary>
    public ReadOnlyMemory<byte> Revocations => _revocations;

    /// <summary>A session began, with the list in F0: the rest follows.</summary>
    public void TellTo(AgentSession session)
    {
        if (_succession is { Length: > 0 } succession)
        {
            Send(session, new RegistryEvent(Succession: Base64Url.EncodeToString(succession)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Exception? failure = null;
            try
            {
                await foreach (var change in _store.WatchAsync(cancel: _stop.Token).ConfigureAwait(false))
                {
                    if (change.Value is { } record && Take(change.Key, record) is { } said)
                    {
                        foreach (var session in _sessions())
                        {
                            Send(session, said);
                        }
                    }
                }
            }
            catch (Exception error) when (!_stop.IsCancellationRequested)
            {
                failure = error;
            }

            _logger.StatementsWatchEnded(failure);
            await Task.Delay(Pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private RegistryEvent? Take(string key, RevocationRecord record)
    {
        if (RegistryEvent.Read(record.Statement) is not { } bytes)
        {
            return null;
        }

        switch (key)
        {
            case RevocationStore.List when RevocationList.TryParse(bytes, out _):
                _revocations = bytes;
                return new RegistryEvent(Revocations: record.Statement);
            case RevocationStore.Succession when RootSuccession.TryParse(bytes, out _):
                _succession = bytes;
                return new RegistryEvent(Succession: record.Statement);
            default:
                return null;
        }
    }

    private void Send(AgentSession session, RegistryEvent said) => session.TrySend(new ControlMessage(
        MessageType.Event, Wire.Channels.Registry, "roots", "core", (ulong)((_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond),
        IdentityJson.Write(said, IdentityJson.Default.RegistryEvent)));
}
