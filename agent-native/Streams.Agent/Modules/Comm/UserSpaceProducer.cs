using Streams.Schema;

namespace Streams.Agent.Modules.Comm;

/// <summary>
/// Rows of a class that the agent itself makes: cpu 65535, a sequence of its own, the wall clock
/// read directly. A number is only taken by a row that is in a batch, so this producer has no losses to explain. One thread at a time.
/// </summary>
internal sealed class UserSpaceProducer : IDisposable
{
    /// <summary>The cpu of rows that no kernel stamped.</summary>
    public const ushort Cpu = 65535;

    private readonly IBatchSink _sink;
    private readonly Epoch _epoch;
    private readonly TimeProvider _clock;
    private readonly Action<ulong>? _spooled;
    private ulong _next;
    private ulong _first;
    private bool _waitsForRoom;

    /// <param name="epoch">Sensor epoch of the batches: the process epoch, or for barriers that of the sensor instance they count.</param>
    /// <param name="last">Last number that the epoch has used already.</param>
    /// <param name="spooled">Told the last number of each batch right after it was handed over.</param>
    public UserSpaceProducer(
        EventClass eventClass, IBatchSink sink, Epoch epoch, TimeProvider clock, ulong last = 0, Action<ulong>? spooled = null)
    {
        _next = _first = last + 1;
        _spooled = spooled;
        _sink = sink;
        _epoch = epoch;
        _clock = clock;
        Builder = new BatchBuilder(eventClass, new BuilderOptions { InitialRows = 128 }, sink.Compressor);
    }

    /// <summary>Setters of the open row.</summary>
    public BatchBuilder Builder { get; }

    /// <summary>Rows sent so far.</summary>
    public ulong Sent { get; private set; }

    /// <summary>Begins a row with its claim columns. False when neither the batch nor the link has room.</summary>
    public bool TryBeginRow(int stringBytes)
    {
        if (_waitsForRoom && !TryFlush())
            return false;
        if (!Builder.TryBeginRow(stringBytes) && !(TryFlush() && Builder.TryBeginRow(stringBytes)))
            return false;
        var microseconds = (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        Builder.SetClaim(microseconds, _next, Cpu, 0, 0);
        return true;
    }

    public void EndRow()
    {
        Builder.EndRow();
        _next++;
    }

    /// <summary>Sends what there is. False when the link has no room; the rows stay and go with the next call.</summary>
    public bool TryFlush()
    {
        if (Builder.RowCount == 0)
            return true;
        if (!_waitsForRoom)
            Builder.TryAddLedger(Cpu, _first, _next - 1, (uint)Builder.RowCount);
        var rows = (ulong)Builder.RowCount;
        _waitsForRoom = !_sink.TrySend(Builder, new BatchStamp(_epoch));
        if (_waitsForRoom)
            return false;
        _spooled?.Invoke(_next - 1);
        _first = _next;
        Sent += rows;
        return true;
    }

    public void Dispose() => Builder.Dispose();
}
