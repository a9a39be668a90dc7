using System.Runtime.CompilerServices;
using Akka.Streams;
using Streams.Queue;
using Streams.Worker.Admission;
using Streams.Worker.Commit;
using Streams.Worker.Decode;
using Streams.Worker.Ownership;
using Streams.Worker.Ranges;
using Streams.Worker.Recovery;

namespace Streams.Worker;

/// <summary>
/// One life of a partition's pipeline, from recovery to its end: read in order, admit, decode, build ranges, commit. Nothing of it
/// survives into the next life but what ClickHouse holds.
/// </summary>
internal sealed class PartitionLife
{
    private static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(1);

    private readonly int _partition;
    private readonly PartitionShared _shared;
    private readonly PartitionPosition _position;
    private readonly PartitionReader _reader;
    private readonly PartitionFence _fence;
    private readonly FlowPublisher _flow;
    private readonly Watermarks _marks;
    private readonly MessageIntake _intake;
    private readonly BatchPool _pool = new();
    private readonly CancellationTokenSource _reading = new();
    private readonly CancellationTokenSource _ticking = new();
    private readonly UniqueKillSwitch _kill;
    private readonly Task _graph;
    private ulong _committed;
    private int _committing;

    private PartitionLife(
        int partition,
        PartitionShared shared,
        PartitionPosition position,
        PartitionReader reader,
        FlowPublisher flow,
        Watermarks marks,
        PartitionFence fence,
        RecoveredPartition recovered)
    {
        _partition = partition;
        _shared = shared;
        _position = position;
        _reader = reader;
        _flow = flow;
        _marks = marks;
        _fence = fence;
        var admission = new LaneAdmission(TimeProvider.System, LaneMemory.For(shared.Options.TtlDays));
        foreach (var lane in recovered.Lanes)
        {
            admission.Restore(lane.Key, lane.Committed);
        }

        var judge = new BatchJudge(recovered.Stored, shared.Quota, shared.Alerts, TimeProvider.System);
        _intake = new MessageIntake(partition, admission, _pool, judge, _marks, shared.Alerts, shared.Metrics, shared.Logger);
        (_kill, _graph) = PartitionGraph.Create(
                () => ReadAsync(_reading.Token),
                _intake,
                () => new RangeBuilder(partition, shared.Limits, shared.Clock),
                shared.Clock,
                shared.Options.OpenRanges,
                CommitAsync,
                Committed)
            .Run(shared.Materializer);
        Completion = RunAsync();
    }

    /// <summary>Ends when everything of this life has ended, the inserts of its ranges included; faulted with the reason.</summary>
    public Task Completion { get; }

    /// <summary>Last stream sequence whose batches are committed.</summary>
    public ulong CommittedSequence => Volatile.Read(ref _committed);

    /// <summary>What this life holds; nothing once it has ended.</summary>
    public PartitionLoad Load => Completion.IsCompleted ? default : new(_reader.AheadBytes, _pool.Outstanding, Volatile.Read(ref _committing));

    public static async Task<PartitionLife> StartAsync(
        int partition,
        PartitionShared shared,
        PartitionPosition position,
        LeaseKeeper keeper,
        RecoveredPartition recovered,
        CancellationToken cancel)
    {
        var (from, created) = await position.ReadAsync(cancel).ConfigureAwait(false);
        shared.Logger.PartitionRecovered(partition, recovered.Lanes.Count, recovered.Stored.Count, from);
        var marks = new Watermarks(TimeProvider.System, LaneMemory.For(shared.Options.TtlDays));
        foreach (var lane in recovered.Lanes)
        {
            marks.Restore(lane.Key, lane.Epoch, lane.Committed);
        }

        // Answers begin only now, when they are true.
        var fence = new PartitionFence(partition, () => keeper.Held, () => keeper.HeldForInsert);
        var reader = PartitionReader.Start(
            shared.Queue, partition, from, created, new ReaderOptions { PrefetchMessages = shared.Options.ReadAhead });
        FlowPublisher flow;
        try
        {
            flow = await FlowPublisher.OpenAsync(shared.Queue, partition, Answer, cancel).ConfigureAwait(false);
        }
        catch
        {
            await reader.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return new PartitionLife(partition, shared, position, reader, flow, marks, fence, recovered);

        // A next owner may have committed more: the lower mark of the former would make the agent send again what is trimmed there.
        bool Answer(string agentId, List<FlowRecord> records)
        {
            if (!fence.Holds())
            {
                return false;
            }

            var caughtUp = reader.IsCaughtUp;
            marks.Answer(agentId, records, caughtUp);
            if (caughtUp)
            {
                records.Add(FlowRecord.CaughtUp(agentId));
            }

            return true;
        }
    }

    /// <summary>Reads no more; what was read is committed, then the life ends well.</summary>
    public void Drain() => _reading.Cancel();

    /// <summary>Ends at once; what is in flight is left to recovery.</summary>
    public void Abort(string reason)
    {
        _fence.Fail(reason);
        _kill.Abort(new PartitionFault(reason));
        _reading.Cancel();
    }

    private async IAsyncEnumerable<IncomingMessage> ReadAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            ReadBatch batch;
            try
            {
                batch = await _reader.ReadAsync(cancel).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                yield break;
            }

            // Payloads live as long as the batch: it is given back when the last message's decoding has asked for the next.
            using (batch)
            {
                if (batch.Condition != ReadCondition.Messages)
                {
                    _position.Discard(batch.Detail);
                    throw new PartitionFault($"{batch.Condition}: {batch.Detail}");
                }

                foreach (var message in batch.Messages)
                {
                    yield return new IncomingMessage(message.Sequence, Head(message), message.Payload, message.Headers.Encoding);
                }
            }
        }
    }

    private static MessageHead? Head(IngestMessage message)
    {
        if (message.HeaderError.Fault != MessageHeaderFault.None)
        {
            return null;
        }

        var headers = message.Headers;
        return new MessageHead(
            message.AgentId,
            headers.Host,
            headers.Epoch,
            headers.Lane,
            headers.First,
            headers.Count,
            headers.Generation,
            headers.ReceivedAt);
    }

    private async Task<ulong> CommitAsync(BatchRange range)
    {
        Interlocked.Increment(ref _committing);
        try
        {
            if (range.Batches.Count != 0)
            {
                await _shared.Inserter.CommitAsync(range, _fence).ConfigureAwait(false);
                foreach (var batch in range.Batches)
                {
                    _marks.Advance(batch.Lane, batch.Head.Epoch, batch.Name.N + 1);
                }
            }

            _shared.Metrics.RangeCommitted(range.Reason);
            return range.LastSequence;
        }
        finally
        {
            range.Dispose();
            Interlocked.Decrement(ref _committing);
        }
    }

    // SelectAsync hands over in order: when a sequence arrives here, everything before it is committed.
    private void Committed(ulong sequence)
    {
        if (sequence != 0)
        {
            Volatile.Write(ref _committed, sequence);
        }
    }

    private async Task RunAsync()
    {
        var ticker = TickAsync();
        string? failure = null;
        try
        {
            await _graph.ConfigureAwait(false);
        }
        catch (Exception error)
        {
            failure = error.GetBaseException().Message;
            _fence.Fail(failure);
        }

        // Ranges in flight may take long to end; meanwhile questions are for the next owner.
        var silent = failure is null ? Task.CompletedTask : _flow.DisposeAsync().AsTask();
        while (Volatile.Read(ref _committing) != 0)
        {
            await Task.Delay(10).ConfigureAwait(false);
        }

        await _reading.CancelAsync().ConfigureAwait(false);
        await _ticking.CancelAsync().ConfigureAwait(false);
        await ticker.ConfigureAwait(false);
        if (failure is null)
        {
            failure = await FinishAsync().ConfigureAwait(false);
            silent = _flow.DisposeAsync().AsTask();
        }

        // Unheard by a server that is away, it answers no more all the same.
        await silent.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _reader.DisposeAsync().ConfigureAwait(false);
        _intake.Dispose();
        if (_pool.Reclaim() is var left and not 0 && failure is null)
        {
            _shared.Logger.BatchesLeaked(_partition, left);
        }

        if (failure is not null)
        {
            throw new PartitionFault(failure);
        }
    }

    private async Task<string?> FinishAsync()
    {
        await TellAsync().ConfigureAwait(false);
        try
        {
            await _position.TrimAsync(_reader, CommittedSequence, CancellationToken.None).ConfigureAwait(false);
            return null;
        }
        catch (PartitionFault fault)
        {
            return fault.Message;
        }
    }

    /// <summary>Watches the fence, tells watermarks and trims the queue, until the life ends; its own fault ends the life.</summary>
    private async Task TickAsync()
    {
        try
        {
            var trimmed = TimeProvider.System.GetTimestamp();
            while (!_ticking.IsCancellationRequested)
            {
                await Task.Delay(_shared.Options.WatermarkInterval, _ticking.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!_fence.Holds())
                {
                    Abort(_fence.Failure!);
                    return;
                }

                await TellAsync().ConfigureAwait(false);
                if (TimeProvider.System.GetElapsedTime(trimmed) >= TrimInterval)
                {
                    trimmed = TimeProvider.System.GetTimestamp();
                    await _position.TrimAsync(_reader, CommittedSequence, _ticking.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (_ticking.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            // Without this loop nobody would see a lost lease, and the queue would fill.
            Abort(error.Message);
        }
    }

    private async Task TellAsync()
    {
        var records = new List<FlowRecord>();
        _marks.Take(records);
        if (records.Count == 0)
        {
            return;
        }

        try
        {
            await _flow.TellAsync(records).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Lost deltas are repeated by the next question or duplicate; the pipeline must not end for them.
            _shared.Logger.FlowFailed(_partition, error.Message);
        }
    }
}
