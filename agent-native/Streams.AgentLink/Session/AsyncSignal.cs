using System.Threading.Tasks.Sources;

namespace Streams.AgentLink.Session;

/// <summary>An auto-reset event for one asynchronous waiter and any number of setters; allocates nothing per wait.</summary>
internal sealed class AsyncSignal : IValueTaskSource
{
    private enum State
    {
        Idle,
        Set,
        Waiting,
    }

    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private State _state;

    internal void Set()
    {
        lock (_gate)
        {
            if (_state != State.Waiting)
            {
                _state = State.Set;
                return;
            }

            _state = State.Idle;
            // Inside the lock: a waiter that sees the completion and waits again must not reset the source before this has returned. No
            // continuation runs in here, they are queued.
            _core.SetResult(true);
        }
    }

    internal ValueTask WaitAsync()
    {
        lock (_gate)
        {
            if (_state == State.Set)
            {
                _state = State.Idle;
                return default;
            }

            _core.Reset();
            _state = State.Waiting;
            return new ValueTask(this, _core.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
