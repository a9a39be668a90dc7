using System.Globalization;
using Streams.Agent.Logging;
using Streams.AgentLink;
using Streams.Control.Identity;
using Streams.Wire;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>
/// Channel agent.registry of a running agent: its keys and the change of them, and what fleet roots say. The key after the one in use
/// (`rotate-key` makes it) is offered in each session until the server takes it; then the session begins anew under it. Refused with one key,
/// the agent tries the others. That the server took a key is a gateway's word: an older key goes when two gateways gave theirs.
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
    private KeySlot _slot = KeySlot.Present;
    private AgentIdentity _inUse;
    private AgentIdentity? _taken;
    private byte[]? _takenBy;
    private string _asked = "";

    /// <summary>Keys that are kept: one more with each rotation.</summary>
    internal int KeysRead => _keys.Count;

    /// <summary>How a message is sent; set before the link runs.</summary>
    public Func<ControlMessage, bool> Send { get; set; } = static _ => false;

    /// <summary>How the session is begun anew; set before the link runs.</summary>
    public Action Renew { get; set; } = static () => { };

    /// <summary>The gateway that the session is with; set before the link runs.</summary>
    public Func<FleetCertificate?> Gateway { get; set; } = static () => null;

    /// <exception cref="AgentException">The agent's key cannot be used.</exception>
    public RegistryChannel(string agentId, AgentKeyFiles files, PinnedStatements pinned, AgentLog log, TimeProvider clock)
    {
        _agentId = agentId;
        _files = files;
        _pinned = pinned;
        _log = log;
        _clock = clock;
        files.Mend();
        _inUse = Read(KeySlot.Present);
    }

    /// <summary>The key of the next handshake.</summary>
    public AgentIdentity Identity
    {
        get
        {
            lock (_gate)
                return _inUse;
        }
    }

    public PinnedStatements Pinned => _pinned;

    /// <summary>Called with each heartbeat: looks for a key that somebody has made.</summary>
    public void Look()
    {
        lock (_gate)
        {
            if (_asked.Length == 0 && After() is { } next)
                Ask(next);
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
                case LinkEventKind.Refused:
                    TryAnother();
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
        if (Gateway() is { } gateway && list.Contains(gateway.Serial))
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

    /// <summary>The key that the one in use names to the server, if there is one.</summary>
    private KeySlot? After() => _slot switch
    {
        KeySlot.Old => KeySlot.Present,
        KeySlot.Present when _files.HasNext => KeySlot.Next,
        _ => null,
    };

    private void Ask(KeySlot slot)
    {
        using var next = _files.Read(slot);
        using var present = _files.Read(_slot);
        var now = (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var id = "rotate-" + now.ToString(CultureInfo.InvariantCulture);
        var request = new RegistryRequest(Rotate: RotateRequest.Create(_agentId, present, next));
        if (Send(new ControlMessage(
            MessageType.Request, Channels.Registry, id, "core", (ulong)now, IdentityJson.Write(request, IdentityJson.Default.RegistryRequest))))
            _asked = id;
    }

    private void Answered(RotateAnswer answer)
    {
        if (After() is not { } slot)
            return;
        using var next = _files.Read(slot);
        if (answer.Refused != RegistryRefusal.None || answer.PublicKey != System.Buffers.Text.Base64Url.EncodeToString(next.PublicKey))
        {
            _asked = "";
            _log.Warn(AgentEvent.KeyChange, ModuleName.Core, $"the server does not take the next key: {answer.Refused}");
            return;
        }

        // Nothing more is asked in this session, which is under the key before.
        Use(slot);
        Advance();
        _log.Info(AgentEvent.KeyChange, ModuleName.Core, "the server has taken the next key: the session begins anew under it");
        Renew();
    }

    /// <summary>
    /// Which key the server knows is seen by trying: a gateway may have said that it takes one and kept it to itself, or handed one on and kept
    /// the answer; a queue that was wiped knows an older one.
    /// </summary>
    private void TryAnother()
    {
        var slot = _slot;
        do
        {
            slot = slot switch
            {
                KeySlot.Present => KeySlot.Next,
                KeySlot.Next => KeySlot.Old,
                _ => KeySlot.Present,
            };
        }
        while (slot != _slot && !_files.Has(slot));
        if (slot != _slot)
            Use(slot);
    }

    private void Used()
    {
        Advance();
        if (Gateway() is not { } gateway)
            return;
        if (_taken != _inUse)
            (_taken, _takenBy) = (_inUse, gateway.PublicKey.ToArray());
        else if (!gateway.PublicKey.SequenceEqual(_takenBy))
            Settle();
    }

    /// <summary>The next key in use becomes the present one, if that drops none.</summary>
    private void Advance()
    {
        if (_slot != KeySlot.Next || _files.HasOld)
            return;
        _files.Promote();
        _slot = KeySlot.Present;
    }

    /// <summary>
    /// Two gateways, told apart by their keys, have taken the key in use. One that is captured has one key and takes whatever it is shown, so one
    /// of the two asked the server: it knows this key or a later one, and none before is needed.
    /// </summary>
    private void Settle()
    {
        if (_slot == KeySlot.Old || !_files.HasOld)
            return;
        if (_slot == KeySlot.Next)
        {
            _files.Promote();
            _slot = KeySlot.Present;
        }

        _files.Settle();
        _log.Info(AgentEvent.KeyChange, ModuleName.Core, "two gateways have taken the key in use: those before are gone");
    }

    private void Use(KeySlot slot)
    {
        _inUse = Read(slot);
        _slot = slot;
    }

    // A session that lives signs with its key, so that all are kept; each once, as refusals go on as long as the server wishes.
    private AgentIdentity Read(KeySlot slot)
    {
        var key = _files.Read(slot);
        foreach (var known in _keys)
        {
            if (known.PublicKey.SequenceEqual(key.PublicKey))
            {
                key.Dispose();
                return known;
            }
        }

        var identity = new AgentIdentity(_agentId, key);
        _keys.Add(identity);
        return identity;
    }
}
