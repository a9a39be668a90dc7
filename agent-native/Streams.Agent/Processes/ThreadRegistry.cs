namespace Streams.Agent.Processes;

/// <summary>Which thread works for which module. Modules register their threads as these start. Thread-safe.</summary>
internal sealed class ThreadRegistry
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, string> _modules = [];

    /// <summary>Says that the calling thread works for a module until it calls <see cref="Leave"/>.</summary>
    public void Enter(string module)
    {
        lock (_gate)
            _modules[Libc.gettid()] = module;
    }

    public void Leave()
    {
        lock (_gate)
            _modules.Remove(Libc.gettid());
    }

    /// <summary>The module of a thread, or null when none registered it.</summary>
    public string? Find(int thread)
    {
        lock (_gate)
            return _modules.GetValueOrDefault(thread);
    }
}
