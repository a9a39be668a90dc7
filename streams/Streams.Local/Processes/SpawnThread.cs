using System.Collections.Concurrent;

namespace Streams.Local.Processes;

/// <summary>
/// The one thread that starts children, alive as long as the process. A parent-death signal fires when the forking *thread* ends (prctl(2),
/// PR_SET_PDEATHSIG), so a child started from a pool thread would be killed when the pool retires that thread.
/// </summary>
internal static class SpawnThread
{
    private static readonly BlockingCollection<Action> Work = StartThread();

    public static T Run<T>(Func<T> start)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                result.SetResult(start());
            }
            catch (Exception error)
            {
                result.SetException(error);
            }
        });
        return result.Task.GetAwaiter().GetResult();
    }

    private static BlockingCollection<Action> StartThread()
    {
        var work = new BlockingCollection<Action>();
        var thread = new Thread(() =>
        {
            foreach (var action in work.GetConsumingEnumerable())
                action();
        })
        {
            IsBackground = true,
            Name = "streams-spawn",
        };
        thread.Start();
        return work;
    }
}
