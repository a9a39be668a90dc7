using Streams.Queue;
using Streams.Storage;

namespace Streams.Worker.Ownership;

/// <summary>Lets one process migrate at a time, by a lease in the queue's store; renewed while it is held.</summary>
internal sealed class MigrationLease(LeaseStore store, TimeSpan duration) : IMigrationLease
{
    private const string Key = "migrator";

    public async ValueTask<IAsyncDisposable?> TryAcquireAsync(string owner, CancellationToken cancellation)
    {
        var attempt = await store.TryAcquireAsync(Key, cancellation).ConfigureAwait(false);
        return attempt.Lease is { } lease ? new Held(lease, duration) : null;
    }

    private sealed class Held : IAsyncDisposable
    {
        private readonly Lease _lease;
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _renewal;

        public Held(Lease lease, TimeSpan duration)
        {
            _lease = lease;
            _renewal = RenewAsync(duration / 3);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _renewal.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await _lease.ReleaseAsync().ConfigureAwait(false);
            }
            catch (QueueException)
            {
                // It runs out by itself.
            }
        }

        // An additive migration that two processes run at once does no harm (IF NOT EXISTS throughout): a lost lease need not stop it.
        private async Task RenewAsync(TimeSpan pause)
        {
            while (true)
            {
                await Task.Delay(pause, _stop.Token).ConfigureAwait(false);
                await _lease.RenewAsync(_stop.Token).ConfigureAwait(false);
            }
        }
    }
}
