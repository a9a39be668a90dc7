using Streams.AgentLink.Lanes;
using Streams.AgentLink.Proof;
using Streams.AgentLink.Session;
using Streams.AgentLink.Spool;
using Streams.Schema;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.AgentLink;

/// <summary>
/// The agent's end of the path: takes sealed batches, keeps them until the server has committed them, and carries them over one session
/// at a
/// time. <see cref="RunAsync"/> connects and reconnects until it is cancelled.
/// <para>Thread-safety: <see cref="TryAppend"/>, <see cref="WaitForSpace"/>, <see cref="FlushAsync"/> and <see cref="Status"/> may be
/// called
/// from any thread at any time, also while no session exists; <see cref="RunAsync"/> once; <see cref="Dispose"/> after RunAsync has ended
/// and
/// appenders have stopped. Appending takes one lock while the batch is sealed: producers of one link do not seal in parallel.</para>
/// </summary>
public sealed partial class AgentLink : IDisposable
{
    /// <summary>Two directions and one ephemeral key; the rest is room for the moment of a reconnect.</summary>
    private const int KeySlots = 8;

    /// <summary>Names that an append may try: the lane's, memory's when the disk refuses, and one more for a session that ends in
    /// between.</summary>
    private const int Attempts = 3;

    private readonly AgentLinkOptions _options;
    private readonly AgentLinkHooks _hooks;
    private readonly AgentIdentity _identity;
    private readonly TimeProvider _time;
    private readonly LaneTable _lanes;
    private readonly LinkCounters _counters = new();
    private readonly KeyArena _arena = new(KeySlots);
    private readonly AsyncSignal _signal = new();
    private readonly ManualResetEventSlim _space = new(initialState: true);
    private readonly MessageOutbox _outbox = new();
    private readonly Lock _appendGate = new();
    private readonly byte[] _scratch = GC.AllocateUninitializedArray<byte>(RecordHeader.Size + Limits.MaxStoredBytes);
    private volatile Wire.Messages.SessionMessage? _session;
    private volatile bool _connected;
    private volatile LinkSession? _running;
    private volatile FleetCertificate? _gateway;
    private volatile int _catalogue = Catalogue.Version;

    /// <param name="identity">The agent's id and key; stays the caller's.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message is one line.</exception>
    /// <exception cref="SpoolException">The spool cannot be used.</exception>
    public AgentLink(AgentLinkOptions options, AgentIdentity identity, AgentLinkHooks hooks, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(hooks);
        if (options.Validate() is { } error)
        {
            throw new ArgumentException(error, nameof(options));
        }

        _options = options;
        _identity = identity;
        _hooks = hooks;
        _time = time ?? TimeProvider.System;
        var spool = options.SpoolDirectory is { } folder ? SpoolStore.Open(folder, options.SpoolBytes, _time, options.KeepLeftFor) : null;
        _lanes = new LaneTable(Epoch.NewRandom(), options.RetentionBytes, spool);
        if (options.Proofs)
        {
            _proofs = new ProofWriter(() => Identity, _lanes.Epoch, _time);
            _signTick = _time.CreateTimer(static state => ((AgentLink)state!).SignTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        _tick = _time.CreateTimer(static state => ((AgentLink)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Slots of keys in use; a tripwire of the tests.</summary>
    internal int KeysHeld => _arena.Rented;

    /// <summary>The epoch of new batches: drawn when the link was made, and again if the server has batches of it that were never sent
    /// here.</summary>
    public Epoch Epoch => _lanes.Epoch;

    /// <summary>The catalogue that new batches are written in: this build's before the first session, then the older of it and the
    /// server's.</summary>
    public ushort CatalogueVersion => (ushort)_catalogue;

    public LinkStatus Status
    {
        get
        {
            var (lanes, parked) = _lanes.Count();
            return new LinkStatus
            {
                Connected = _connected,
                Gateway = _session?.Gateway ?? "",
                Generation = _session?.Generation ?? 0,
                Lanes = lanes,
                ParkedLanes = parked,
                RetainedBytes = _lanes.RetainedBytes,
                RetentionCapacity = _lanes.Capacity,
                SpoolBytes = _lanes.SpoolBytes,
                SpoolCapacity = _lanes.SpoolCapacity,
                BatchesEvicted = _lanes.SpoolCounters?.BatchesEvicted ?? 0,
                RowsEvicted = _lanes.SpoolCounters?.RowsEvicted ?? 0,
                BatchesCorrupt = _lanes.SpoolCounters?.BatchesCorrupt ?? 0,
                DiskErrors = _lanes.SpoolCounters?.DiskErrors ?? 0,
                LastDiskError = _lanes.SpoolCounters?.LastError ?? "",
                BatchesRewound = _lanes.Rewound,
                BatchesServerLost = _lanes.ServerLost,
                LanesHeld = _lanes.Holds,
                Checkpoints = _proofs?.Checkpoints ?? 0,
                ProofsDropped = _proofs?.Dropped ?? 0,
                BatchesAppended = _lanes.Appended,
                BatchesRefused = _counters.Refused,
                BatchesCommitted = _lanes.Committed,
                BatchesResent = _lanes.Resent,
                FramesSent = _counters.FramesSent,
                BytesSent = _counters.BytesSent,
                Sessions = _counters.Sessions,
                FailedAttempts = _counters.FailedAttempts,
                RoundTripMicroseconds = _counters.RoundTrip,
            };
        }
    }

    /// <summary>What is kept in memory and not committed, per event class: what is lost when the process ends now. Reads every header;
    /// not for hot paths.</summary>
    public IReadOnlyList<UncommittedClass> Uncommitted() => _lanes.Uncommitted();

    /// <summary>
    /// Names, seals and keeps a batch. The name is used only when the result is Appended: the numbers of a lane have no gap. Allocates
    /// nothing.
    /// </summary>
    public AppendResult TryAppend<TSealer>(PriorityClass priority, TSealer sealer)
        where TSealer : IBatchSealer, allows ref struct
    {
        lock (_appendGate)
        {
            var result = AppendLocked(priority, sealer, out var lane, out var name, out var length);
            if (result != AppendResult.Appended)
            {
                return result;
            }

            Prove(lane!, name, sealer, length);
            if (_lanes.SyncDue)
            {
                _lanes.Sync();
            }
        }

        Arm();
        _signal.Set();
        return AppendResult.Appended;
    }

    private AppendResult AppendLocked<TSealer>(PriorityClass priority, TSealer sealer, out Lane? lane, out BatchName name, out int length)
        where TSealer : IBatchSealer, allows ref struct
    {
        ushort classId = 0;
        length = 0;
        var bytes = Math.Min(sealer.MaxSealedBytes, Limits.MaxStoredBytes);
        for (var attempt = 0; ; attempt++)
        {
            (lane, name) = (null, default);
            if (attempt == Attempts || !TryName(priority, bytes, classId, out lane, out name))
            {
                _counters.AppendRefused();
                Arm();
                return AppendResult.Full;
            }

            length = sealer.Seal(name, CatalogueVersion, _scratch.AsSpan(RecordHeader.Size));
            if (length == 0)
            {
                return AppendResult.TooLarge;
            }

            if (_lanes.Append(lane!, _scratch.AsSpan(0, RecordHeader.Size + length)))
            {
                return AppendResult.Appended;
            }

            // The lane was sealed in between, the disk said no, or the server holds the class back: the batch needs another name.
            classId = BatchHeader.TryRead(_scratch.AsSpan(RecordHeader.Size), out var header, out _) ? header.ClassId : (ushort)0;
        }
    }

    /// <summary>
    /// Queues a control message for the gateway, signed where it is sent; also while there is no session. False when too many wait. True is not delivery: a message
    /// that a breaking connection has taken is lost, so what must arrive is answered, and sent again when it is not.
    /// </summary>
    /// <exception cref="ArgumentException">The channel does not take such a message from an agent, or it is too large.</exception>
    public bool TrySend(Wire.Messages.ControlMessage message)
    {
        if (!_outbox.TryAdd(message))
        {
            return false;
        }

        _signal.Set();
        return true;
    }

    /// <summary>The gateway that the present or last session is with; null before the first.</summary>
    public FleetCertificate? Gateway => _gateway;

    /// <summary>Ends the session in good order; the next follows at once. Without one nothing happens: the next will be another anyway.</summary>
    public void Renew() => _running?.Renew();

    /// <summary>Blocks the calling thread until memory was freed since the last refused append, at most <paramref
    /// name="timeout"/>.</summary>
    public bool WaitForSpace(TimeSpan timeout) => _space.Wait(timeout);

    /// <summary>Waits until every batch appended so far is committed. False when <paramref name="timeout"/> passed first.</summary>
    public async ValueTask<bool> FlushAsync(TimeSpan timeout, CancellationToken cancellation = default)
    {
        lock (_appendGate)
        {
            SignNow();
        }

        _signal.Set();
        var deadline = _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);
        while (_lanes.RetainedBytes > 0)
        {
            if (_time.GetTimestamp() >= deadline)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), _time, cancellation).ConfigureAwait(false);
        }

        return true;
    }

    private bool TryName(PriorityClass priority, int bytes, ushort classId, out Lane? lane, out BatchName name)
    {
        if (_lanes.TryName(priority, bytes, out lane, out name, classId))
        {
            return true;
        }

        // Reset, then look again: memory freed in between would otherwise wake nobody.
        _space.Reset();
        return _lanes.TryName(priority, bytes, out lane, out name, classId);
    }

    public void Dispose()
    {
        _tick.Dispose();
        _signTick?.Dispose();
        lock (_appendGate)
        {
            _lanes.Dispose();
            _proofs?.Dispose();
        }

        _space.Set();
        _arena.Dispose();
    }
}
