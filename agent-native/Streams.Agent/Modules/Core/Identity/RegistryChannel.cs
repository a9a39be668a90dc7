using System.Globalization;
using Streams.Agent.Logging;
using Streams.AgentLink;
using Streams.Control.Identity;
using Streams.Wire;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>
/// Channel agent.registry of a running agent: its key and the change of it, and what fleet roots say. A next key (`rotate-key` makes it) is
/// offered in each session until the server takes it; then the session begins anew under it, and the old key goes with that.
/// </summary>
internal sealed class RegistryChannel : IDisposable
{
    private readonly Lock _gate = new();
    private readonly AgentKeyFiles _files;
    private readonly PinnedStatements _pinned;
    private readonly string _agentId;
    private readonly AgentLog _log;
    private readonly TimeProvider _clock;
    private readonly List<AgentIdentity> _keys = [];
    private AgentIdentity _present;
    private AgentIdentity? _old;
    private bool _isOld;
    private string _asked = "";

    /// <summary>Keys that were read: one more with each rotation.</summary>
    internal int KeysRead => _keys.Count;

    /// <summary>How a message is sent; set before the link runs.</summary>
    public Func<ControlMessage, bool> Send { get; set; } = static _ => false;

    /// <summary>How the session is begun anew; set before the link runs.</summary>
    public Action Renew { get; set; } = static () => { };

    /// <summary>Serial of the gateway that the session is with; set before the link runs.</summary>
    public Func<ulong> GatewaySerial { get; set; } = static () => 0;

    /// <exception cref="AgentException">The agent's key cannot be used.</exception>
    public RegistryChannel(string agentId, AgentKeyFiles files, PinnedStatements pinned, AgentLog log, TimeProvider clock)
    {
        _agentId = agentId;
        _files = files;
        _pinned = pinned;
        _log = log;
        _clock = clock;
        _present = Keep(files.Read());
    }

    /// <summary>The key of the next handshake.</summary>
    public AgentIdentity Identity
    {
        get
        {
            lock (_gate)
                return _isOld ? _old! : _present;
        }
    }

    public PinnedStatements Pinned => _pinned;

    /// <summary>Called with each heartbeat: looks for a key that somebody has made.</summary>
    public void Look()
    {
        lock (_gate)
        {
            if (_asked.Length == 0 && !_isOld && _files.HasNext)
                Ask();
        }
    }

    public void OnEvent(LinkEvent linkEvent)
    {
        lock (_gate)
        {
            switch (linkEvent.Kind)
            {
                case LinkEventKind.Connected:
                    // What was asked in the session before has no answer any more.
                    _asked = "";
                    Used();
                    break;
                case LinkEventKind.Refused when _files.HasOld:
                    // A queue that was wiped knows the one, a rotation that went through the other: which of the two is seen by trying.
                    // Each is read once: refusals go on as long as the server wishes.
                    _old ??= Keep(_files.ReadOld());
                    _isOld = !_isOld;
                    break;
            }
        }
    }

    public WireError Take(ControlMessage message)
    {
        if (message.Type == MessageType.Event)
        {
            return IdentityJson.TryRead(message.Payload.Span, IdentityJson.Default.RegistryEvent, out var said) && Take(said)
                ? WireError.None : WireError.Malformed;
        }

        if (!IdentityJson.TryRead(message.Payload.Span, IdentityJson.Default.RotateAnswer, out var answer))
            return WireError.Malformed;
        lock (_gate)
        {
            if (message.Id == _asked)
                Answered(answer);
        }

        return WireError.None;
    }

    /// <summary>Whoever signed it: a list in F0 or in an event.</summary>
    public void Take(RevocationList list)
    {
        if (!_pinned.Take(list))
            return;
        _log.Warn(AgentEvent.RootsSaid, ModuleName.Core, $"revoked gateway certificates: {list.Serials.Count}, list {list.Version}");
        // The handshake that follows judges by the list.
        if (list.Contains(GatewaySerial()))
            Renew();
    }

    public void Dispose() => _keys.ForEach(identity => identity.Dispose());

    private bool Take(RegistryEvent said)
    {
        if (RegistryEvent.Read(said.Revocations) is not { } list || RegistryEvent.Read(said.Succession) is not { } next)
            return false;
        if (list.Length > 0 && RevocationList.TryParse(list, out var revoked))
            Take(revoked!);
        if (next.Length > 0 && RootSuccession.TryParse(next, out var succession) && _pinned.Take(succession!))
            _log.Warn(AgentEvent.RootsSaid, ModuleName.Core, $"fleet roots pinned now: {_pinned.Roots.Keys.Count}");
        return true;
    }

    private void Ask()
    {
        using var next = _files.ReadNext();
        using var present = _files.Read();
        var now = (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var id = "rotate-" + now.ToString(CultureInfo.InvariantCulture);
        var request = new RegistryRequest(Rotate: RotateRequest.Create(_agentId, present, next));
        if (Send(new ControlMessage(
            MessageType.Request, Channels.Registry, id, "core", (ulong)now, IdentityJson.Write(request, IdentityJson.Default.RegistryRequest))))
            _asked = id;
    }

    private void Answered(RotateAnswer answer)
    {
        _asked = "";
        using var next = _files.ReadNext();
        if (answer.Refused != RegistryRefusal.None || answer.PublicKey != System.Buffers.Text.Base64Url.EncodeToString(next.PublicKey))
        {
            _log.Warn(AgentEvent.KeyChange, ModuleName.Core, $"the server does not take the next key: {answer.Refused}");
            return;
        }

        _files.Promote();
        _old = _present;
        _present = Keep(_files.Read());
        _log.Info(AgentEvent.KeyChange, ModuleName.Core, "the server has taken the next key: the session begins anew under it");
        Renew();
    }

    private void Used()
    {
        if (!_files.HasOld)
            return;
        if (_isOld)
        {
            _files.Revert();
            _present = _old!;
            _old = null;
            _isOld = false;
            _log.Warn(AgentEvent.KeyChange, ModuleName.Core, "the server knows the old key only: the new one is offered again");
        }
        else
        {
            _files.Settle();
            _old = null;
            _log.Info(AgentEvent.KeyChange, ModuleName.Core, "the first session under the new key: the old one is gone");
        }
    }

    // A session that lives signs with its key, so that all are kept: one more with each rotation.
    private AgentIdentity Keep(Wire.Crypto.SigningKey key)
    {
        var identity = new AgentIdentity(_agentId, key);
        _keys.Add(identity);
        return identity;
    }
}
