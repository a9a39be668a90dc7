using Streams.Local.Supervision;

namespace Streams.Local;

/// <summary>
/// The children of `streams up`, in order of start. One that ends or hangs is started again; none is ever given up, and none takes
/// another with it. Stopping goes in the opposite order, so that nobody loses what it depends on.
/// </summary>
/// <param name="changed">Called after every change of a status, from any thread; must be quick. What it throws is ignored.</param>
/// <param name="hold">Why a server that hangs shall not be killed now, as a full disk; null when it may.</param>
/// <param name="say">Gets a line when a child went down; what it throws is ignored.</param>
public sealed class Supervisor(Action changed, Func<string?> hold, Action<string> say, TimeProvider? time = null) : IAsyncDisposable
{
    private readonly List<SupervisedChild> _children = [];
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private bool _stopped;

    /// <summary>All children, in order of start.</summary>
    public IReadOnlyList<ChildStatus> Statuses
    {
        get
        {
            lock (_children)
                return [.. _children.Select(child => child.Status)];
        }
    }

    /// <summary>Takes charge of a child; returns when it runs.</summary>
    /// <exception cref="LocalException">Its first start failed. Later ones are tried again for ever.</exception>
    public Task StartAsync(ChildSpecification specification)
    {
        SupervisedChild child;
        lock (_children)
        {
            var needs = specification.Needs.Select(name => _children.Single(other => other.Status.Name == name)).ToList();
            child = new SupervisedChild(specification, needs, changed, hold, say, _time);
            _children.Add(child);
        }

        return child.StartAsync();
    }

    /// <summary>Ends those of these children that run and has them started again, one after the other, each when the one before
    /// runs.</summary>
    public async Task RestartAsync(IReadOnlyList<string> names, string why, CancellationToken cancel)
    {
        foreach (var name in names)
        {
            SupervisedChild? child;
            lock (_children)
                child = _children.Find(other => other.Status.Name == name);
            if (child is not null)
                await child.RestartAsync(why, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Stops all, last started first, and returns how each ended that ran.</summary>
    public async Task<IReadOnlyList<ChildExit>> StopAsync()
    {
        var exits = new List<ChildExit>(_children.Count);
        if (_stopped)
            return exits;
        _stopped = true;
        for (var index = _children.Count - 1; index >= 0; index--)
        {
            if (await _children[index].StopAsync().ConfigureAwait(false) is { } exit)
                exits.Add(exit);
        }

        return exits;
    }

    /// <summary>Stops what still runs.</summary>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);
}
