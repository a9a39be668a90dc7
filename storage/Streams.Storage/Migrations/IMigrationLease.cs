namespace Streams.Storage;

/// <summary>Lets one migrator run at a time; implemented over the queue's key-value leases.</summary>
public interface IMigrationLease
{
    /// <summary>The lease, released on dispose; null when another process holds it.</summary>
    ValueTask<IAsyncDisposable?> TryAcquireAsync(string owner, CancellationToken cancellation);
}
