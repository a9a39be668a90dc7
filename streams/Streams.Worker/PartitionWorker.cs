using Streams.Queue;
using Streams.Stages;
using Streams.Worker.Ownership;

namespace Streams.Worker;

/// <summary>
/// Owns one partition: gets its lease, recovers, runs a life of the pipeline, and starts again from recovery whenever that ends.
/// </summary>
internal sealed class PartitionWorker : IAsyncDisposable
{
    private readonly int _partition;
    private readonly PartitionShared _shared;
    private readonly LeaseKeeper _keeper;
    private readonly PartitionPosition _position;
    private readonly GraphSupervisor _supervisor;
    private PartitionLife? _life;
    private bool _aborted;
    private string? _previousOwner;
    private string? _lastFailure;

    public PartitionWorker(int partition, PartitionShared shared)
    {
        _partition = partition;
        _shared = shared;
        _keeper = new LeaseKeeper(shared.Leases, partition, shared.Options.Lease, shared.Logger);
        _position = new PartitionPosition(shared.Offsets, partition, shared.Logger);
        _supervisor = new GraphSupervisor($"partition-{partition}", MaterialiseAsync, Ended);
    }

    public PartitionHealth Health => new(_partition, State, _life?.CommittedSequence ?? 0, _supervisor.Failures, _lastFailure, _life?.Load ?? default);

    public PartitionState State => _supervisor.State switch
    {
        GraphState.Starting => PartitionState.Recovering,
        GraphState.Running => PartitionState.Running,
        GraphState.Waiting => PartitionState.Failed,
        _ => PartitionState.Stopped,
    };

    public void Start() => _supervisor.Start();

    /// <summary>
    /// Commits what was read, then gives the lease up. What takes longer than <paramref name="patience"/> is aborted; the lease then runs
    /// out by itself, because inserts may still be on their way and a successor must not come sooner.
    /// </summary>
    public async Task StopAsync(TimeSpan patience)
    {
        await _supervisor.StopAsync(patience).ConfigureAwait(false);
        if (!Volatile.Read(ref _aborted) && Volatile.Read(ref _life) is null or { Completion.IsCompleted: true })
        {
            await _keeper.ReleaseAsync().ConfigureAwait(false);
        }
        else
        {
            _shared.Logger.LeaseKept(_partition);
            await _keeper.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Ends at once and leaves lease and inserts as a crash would.</summary>
    public async ValueTask DisposeAsync()
    {
        await _keeper.DisposeAsync().ConfigureAwait(false);
        await _supervisor.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<GraphRun> MaterialiseAsync(CancellationToken cancel)
    {
        // A life is awaited to its end before the next begins (its Completion covers its inserts), so nothing of ours is in flight here.
        // Streams and buckets may have been wiped since the last life: what is missing is made again.
        await Topology.CreateAsync(_shared.Queue, _shared.Topology, cancel).ConfigureAwait(false);
        _previousOwner = await _keeper.EnsureAsync(cancel).ConfigureAwait(false) ?? _previousOwner;
        var recovered = await _shared.CommitLog.ReadAsync(_partition, _previousOwner ?? "", cancel).ConfigureAwait(false);
        var life = await PartitionLife.StartAsync(
            _partition, _shared, _position, _keeper, recovered, cancel).ConfigureAwait(false);
        Volatile.Write(ref _life, life);
        return new GraphRun(life.Completion, life.Drain, () => Abort(life));
    }

    private void Abort(PartitionLife life)
    {
        Volatile.Write(ref _aborted, true);
        life.Abort("stopped");
    }

    private void Ended(GraphEnd end)
    {
        _lastFailure = end.Failure?.Message ?? "the stream ended";
        _shared.Metrics.Faulted(_partition);
        _shared.Logger.PipelineEnded(_partition, _lastFailure, end.RetryAfter);
    }
}
