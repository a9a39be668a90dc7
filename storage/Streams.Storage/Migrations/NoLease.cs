namespace Streams.Storage;

/// <summary>For a database that only this process can reach (tests, tools).</summary>
public sealed class NoLease : IMigrationLease, IAsyncDisposable
{
    public static NoLease Instance { get; } = new();

    public ValueTask<IAsyncDisposable?> TryAcquireAsync(string owner, CancellationToken cancellation) => new(this);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
