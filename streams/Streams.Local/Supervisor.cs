namespace Streams.Local;

/// <summary>
/// The children of `streams up`, in order of start. Until a later version restarts them, the first that ends on its own ends the whole;
/// stopping goes
/// in the opposite order, so that nobody loses what it depends on.
/// </summary>
public sealed class Supervisor : IAsyncDisposable
{
    private readonly List<(ChildProcess Child, TimeSpan Deadline)> _children = [];
    private readonly TaskCompletionSource<ChildExit> _firstExit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopping;

    /// <summary>Ends when a child has ended that nobody asked to.</summary>
    public Task<ChildExit> FirstExit => _firstExit.Task;

    public IReadOnlyList<ChildProcess> Children => [.. _children.Select(entry => entry.Child)];

    /// <summary>Takes charge of a child.</summary>
    /// <param name="child">A running child.</param>
    /// <param name="deadline">How long it may take to stop before it is killed.</param>
    public void Add(ChildProcess child, TimeSpan deadline)
    {
        _children.Add((child, deadline));
        _ = WatchAsync(child);
    }

    /// <summary>Stops all, last started first, and returns how each ended.</summary>
    public async Task<IReadOnlyList<ChildExit>> StopAsync()
    {
        Volatile.Write(ref _stopping, true);
        var exits = new List<ChildExit>(_children.Count);
        for (var index = _children.Count - 1; index >= 0; index--)
            exits.Add(await _children[index].Child.StopAsync(_children[index].Deadline).ConfigureAwait(false));
        return exits;
    }

    /// <summary>Stops what still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        foreach (var (child, _) in _children)
            await child.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WatchAsync(ChildProcess child)
    {
        var exit = await child.Exited.ConfigureAwait(false);
        if (!Volatile.Read(ref _stopping))
            _firstExit.TrySetResult(exit);
    }
}
