namespace Streams.Agent.Processes;

/// <summary>Starts the threads of modules: registered, background, with a small stack (only touched pages are resident, but 8 MB of mappings confuse).</summary>
internal static class ModuleThread
{
    private const int StackBytes = 256 * 1024;

    /// <param name="body">The thread's work.</param>
    /// <param name="failed">Called with the reason when the body throws.</param>
    public static Thread Start(string module, string name, ThreadRegistry registry, Action body, Action<string> failed)
    {
        var thread = new Thread(
            () =>
            {
                registry.Enter(module);
                try
                {
                    body();
                }
                catch (Exception e)
                {
                    failed($"{e.GetType().Name}: {e.Message}");
                }
                finally
                {
                    registry.Leave();
                }
            },
            StackBytes)
        {
            Name = name,
            IsBackground = true,
        };
        thread.Start();
        return thread;
    }
}
