using Streams.Schema;

namespace Streams.Queue.Producing;

/// <summary>What is known of the one message under way: told by the queue, by watermarks and by answers. Thread-safe.</summary>
internal sealed class LaneNews
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _told = new(0, 1);
    private Epoch _epoch;
    private uint _first;
    private uint _end;
    private uint _committed;
    private RowFate? _other;

    /// <summary>Lets the one who waits go on; once is as often.</summary>
    public static void Wake(SemaphoreSlim sleeper)
    {
        try
        {
            sleeper.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    /// <summary>The message is sent now; what was said of an earlier sending is over.</summary>
    public void Expect(Epoch epoch, in RowMessage message)
    {
        lock (_gate)
            (_epoch, _first, _end, _committed, _other) = (epoch, message.First, message.End, 0, null);
    }

    /// <summary>The message's fate; null while nobody knows.</summary>
    public RowFate? Judge()
    {
        lock (_gate)
            return _committed >= _end ? RowFate.Committed : _other;
    }

    /// <summary>False: nothing was told for so long.</summary>
    public Task<bool> WaitAsync(TimeSpan patience, CancellationToken cancel) => _told.WaitAsync(patience, cancel);

    public void OnResult(PublishResult result)
    {
        // Whatever is in the queue is stored some day: only what is not, or may not be, has to go again.
        if (result.Outcome is PublishOutcome.Acknowledged or PublishOutcome.Duplicate)
            return;
        lock (_gate)
            _other = RowFate.Lost;
        Wake(_told);
    }

    public void OnFlow(in FlowRecord record)
    {
        lock (_gate)
        {
            if (record.Epoch != _epoch || record.Lane != 0)
                return;
            if (record.Kind == FlowKind.Watermark)
                _committed = Math.Max(_committed, record.N);
            // A lower one may be old; if it is not, the next question shows it.
            else if (record.Kind == FlowKind.Rewind && record.N >= _first && record.N < _end)
                _other = RowFate.Lost;
            else
                return;
        }

        Wake(_told);
    }

    /// <summary>The partition's owner named all lanes that it knows of this producer.</summary>
    public void OnAnswer(IReadOnlyList<FlowRecord> records)
    {
        lock (_gate)
        {
            var (caughtUp, named, known) = (false, false, 0u);
            foreach (var record in records)
            {
                caughtUp |= record.IsCaughtUp;
                if (record.Epoch == _epoch && record.Lane == 0)
                {
                    named = true;
                    known = Math.Max(known, record.N);
                    OnFlow(record);
                }
            }

            // Nothing that the queue has is unread, and the batches before this one are missing too.
            if (caughtUp && known < _first)
                _other = RowFate.Forgotten;
            else if (caughtUp && !named)
                _other = RowFate.Lost;
        }

        Wake(_told);
    }
}
