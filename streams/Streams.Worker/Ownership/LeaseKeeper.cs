using Microsoft.Extensions.Logging;
using Streams.Queue;

namespace Streams.Worker.Ownership;

/// <summary>
/// Holds the lease of one partition over all lives of its pipeline, renewing it at a sixth of its duration. What it says about itself
/// is the monotonic clock's word, so it is right also while NATS is away: then the lease runs out and everybody here sees it.
/// </summary>
internal sealed class LeaseKeeper(LeaseStore store, int partition, TimeSpan duration, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stop = new();
    private Lease? _lease;
    private Task _renewal = Task.CompletedTask;

    // What an insert needs from the check of its fence until a successor's KILL can find it. It begins on the server within half of its
    // max_execution_time of its headers, a third of the lease (see StreamsWorker), or never; a healthy lease has five sixths left.
    private readonly TimeSpan _margin = duration / 2;

    /// <summary>True while the partition certainly is ours.</summary>
    public bool Held => Volatile.Read(ref _lease) is { IsValid: true };

    /// <summary>True while the partition is ours for long enough to send an insert.</summary>
    public bool HeldForInsert => Volatile.Read(ref _lease) is { } lease && lease.Remaining > _margin;

    /// <summary>Returns when the partition is ours; waits for whoever has it.</summary>
    /// <returns>Who owned it before this process, when it was taken now; null when it is held already.</returns>
    public async Task<string?> EnsureAsync(CancellationToken cancel)
    {
        if (Held)
        {
            return null;
        }

        await _renewal.ConfigureAwait(false);
        string? awaited = null;
        while (true)
        {
            var wait = RetryPause;
            try
            {
                var attempt = await store.TryAcquireAsync(LeaseStore.Partition(partition), cancel).ConfigureAwait(false);
                if (attempt.Lease is { } lease)
                {
                    Volatile.Write(ref _lease, lease);
                    _renewal = Task.Run(() => RenewAsync(lease), CancellationToken.None);
                    logger.PartitionOwned(partition, store.Owner);
                    return lease.PreviousOwner;
                }

                if (awaited != attempt.Holder)
                {
                    logger.LeaseAwaited(partition, attempt.Holder);
                    awaited = attempt.Holder;
                }

                // Look at least so often that a release is noticed soon.
                var longest = TimeSpan.FromSeconds(1);
                wait = attempt.RetryAfter < longest ? attempt.RetryAfter + TimeSpan.FromMilliseconds(1) : longest;
            }
            catch (QueueException error)
            {
                logger.LeaseUnreachable(partition, error.Message);
            }

            await Task.Delay(wait, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Gives the lease up: nothing done under it is under way any more.</summary>
    public async Task ReleaseAsync()
    {
        await DisposeAsync().ConfigureAwait(false);
        if (Held)
        {
            try
            {
                await _lease!.ReleaseAsync().ConfigureAwait(false);
            }
            catch (QueueException error)
            {
                logger.LeaseUnreachable(partition, error.Message);
            }
        }
    }

    /// <summary>Stops renewing and leaves the lease to run out, as a crash would.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _renewal.ConfigureAwait(false);
    }

    private async Task RenewAsync(Lease lease)
    {
        while (lease.IsValid)
        {
            try
            {
                await Task.Delay(duration / 6, _stop.Token).ConfigureAwait(false);
                if (!await lease.RenewAsync(_stop.Token).ConfigureAwait(false))
                {
                    return;
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Whatever it is, the lease stands until its end, and only another attempt can prolong it.
                logger.LeaseUnreachable(partition, error.Message);
                await Task.Delay(RetryPause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
