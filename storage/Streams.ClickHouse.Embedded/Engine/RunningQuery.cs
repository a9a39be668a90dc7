namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>A statement on its own thread. The connection returns to the host when the statement has ended, whoever still waits.</summary>
internal sealed class RunningQuery
{
    private readonly EngineHost _host;
    private readonly string _marker;
    private readonly TaskCompletionSource<EngineResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RunningQuery(EngineHost host, string marker)
    {
        _host = host;
        _marker = marker;
    }

    public Task<EngineResult> Result => _result.Task;

    /// <param name="ended">Runs as soon as the engine is done with the statement, before the result is published.</param>
    public static RunningQuery Start(EngineHost host, ChdbConnection connection, QueryPlan plan, Action ended)
    {
        var query = new RunningQuery(host, plan.Marker);
        _ = Task.Run(() => query.Run(connection, plan, ended));
        return query;
    }

    /// <summary>Kills until the statement has ended: the first KILL may come before the engine knows the statement.</summary>
    public async Task CancelAsync()
    {
        for (var pause = 5; !_result.Task.IsCompleted; pause = Math.Min(pause * 2, 500))
        {
            await Task.Run(() => _host.Kill(_marker)).ConfigureAwait(false);
            await Task.WhenAny(_result.Task, Task.Delay(pause)).ConfigureAwait(false);
        }
    }

    /// <summary>Cancels when the token says so; the registration belongs to the caller.</summary>
    public CancellationTokenRegistration CancelOn(CancellationToken aborted) =>
        aborted.UnsafeRegister(static state => _ = ((RunningQuery)state!).CancelAsync(), this);

    private void Run(ChdbConnection connection, QueryPlan plan, Action ended)
    {
        EngineResult result;
        try
        {
            result = plan.Run(connection);
        }
        catch (Exception error)
        {
            // Nothing in the call path throws for bad input; what is left is a defect or exhausted memory.
            result = EngineResult.Failed(EngineError.Raise(EngineError.LogicalError, "LOGICAL_ERROR", error.Message));
        }

        ended();
        _result.SetResult(result);
        _host.Return(connection);
    }
}
