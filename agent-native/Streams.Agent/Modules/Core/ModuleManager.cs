using System.Collections.Concurrent;
using Streams.Agent.Logging;

namespace Streams.Agent.Modules.Core;

/// <summary>
/// Starts modules in the specification's order, restarts those that fail with back-off (their dependants with them) and stops all in the
/// reverse order. One thread owns it: modules report failures through a queue that <see cref="Poll"/> empties.
/// </summary>
internal sealed class ModuleManager
{
    private readonly List<ManagedModule> _modules = [];
    private readonly ConcurrentQueue<(ManagedModule Module, int Run, string Reason)> _failures = new();
    private readonly AgentLog _log;
    private readonly TimeProvider _clock;
    private readonly Func<long> _residentBytes;
    private readonly Action _wake;
    private readonly long _origin;

    /// <param name="modules">The enabled modules, in any order, without Core (the manager is Core).</param>
    /// <param name="residentBytes">The process's resident set now.</param>
    /// <param name="wake">Called from any thread when <see cref="Poll"/> has something to do.</param>
    /// <exception cref="AgentException">Too many modules, one not in <paramref name="declarations"/>, one not built in, one twice, or a missing dependency.</exception>
    public ModuleManager(
        IReadOnlyList<IAgentModule> modules,
        IReadOnlyList<ModuleDeclaration> declarations,
        AgentLog log,
        TimeProvider clock,
        Func<long> residentBytes,
        Action wake)
    {
        _log = log;
        _clock = clock;
        _residentBytes = residentBytes;
        _wake = wake;
        _origin = clock.GetTimestamp();
        // Core counts: the specification's ten are all modules of an agent.
        if (modules.Count + 1 > ModuleDeclarations.Maximum)
            throw new AgentException($"{modules.Count + 1} modules are enabled, allowed are {ModuleDeclarations.Maximum}; disable some in agent.json");
        foreach (var declaration in declarations)
        {
            if (declaration.Name == ModuleName.Core)
                continue;
            foreach (var module in modules)
            {
                if (module.Name == declaration.Name)
                    Add(module, declaration);
            }
        }

        if (_modules.Count != modules.Count)
            throw new AgentException("a module is enabled that this agent does not know; see streams-agent --print-config");
    }

    /// <summary>
    /// How long until <see cref="Poll"/> has a restart to do, not below zero and at most <see cref="RestartBackOff.Longest"/>; null: there is none.
    /// </summary>
    public TimeSpan? NextRestartIn
    {
        get
        {
            TimeSpan? next = null;
            foreach (var module in _modules)
            {
                if (module.State == ModuleState.BackingOff && (next is null || module.RestartAt < next))
                    next = module.RestartAt;
            }

            if (next is not { } at)
                return null;
            var left = at - Now;
            return left < TimeSpan.Zero ? TimeSpan.Zero : left > RestartBackOff.Longest ? RestartBackOff.Longest : left;
        }
    }

    /// <summary>Monotonic: a wall clock that is set while the agent runs neither delays a restart nor shortens a stop.</summary>
    private TimeSpan Now => _clock.GetElapsedTime(_origin);

    /// <summary>Starts all. A module that cannot start ends the start: those that run are stopped again.</summary>
    /// <exception cref="AgentException">The reason of the module that could not start.</exception>
    public void StartAll(TimeSpan stopDeadline)
    {
        foreach (var module in _modules)
        {
            try
            {
                Start(module);
            }
            catch (Exception)
            {
                StopAll(stopDeadline);
                throw;
            }
        }
    }

    /// <summary>Handles failures that were reported and restarts that are due.</summary>
    public void Poll()
    {
        while (_failures.TryDequeue(out var failure))
        {
            // A report of an earlier run: that run has been stopped already.
            if (failure.Module.State == ModuleState.Running && failure.Module.Run == failure.Run)
                Fail(failure.Module, failure.Reason);
        }

        var now = Now;
        foreach (var module in _modules)
        {
            var due = (module.State == ModuleState.BackingOff && module.RestartAt <= now)
                || (module.State == ModuleState.WaitingForDependency && DependenciesRun(module));
            if (due)
                Restart(module);
        }
    }

    /// <summary>Stops all in the reverse of the start order. A module that fails to stop is logged and does not hold up the others.</summary>
    public void StopAll(TimeSpan deadline)
    {
        var end = Now + deadline;
        for (var i = _modules.Count - 1; i >= 0; i--)
        {
            var left = end - Now;
            Stop(_modules[i], ModuleState.Stopped, left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    /// <summary>All modules in start order, Core not among them. Read from other threads too: each value is of its moment.</summary>
    public void CopyStatus(List<ModuleStatus> target)
    {
        target.Clear();
        foreach (var module in _modules)
            target.Add(new ModuleStatus(module.Module.Name, module.State, module.Restarts, module.StartRssBytes, module.LastFailure));
    }

    private void Add(IAgentModule module, ModuleDeclaration declaration)
    {
        if (!declaration.IsBuilt)
            throw new AgentException($"the {module.Name} module is not built in yet; disable it in agent.json");
        foreach (var present in _modules)
        {
            if (present.Module.Name == module.Name)
                throw new AgentException($"the {module.Name} module is given twice; keep one");
        }

        foreach (var dependency in declaration.DependsOn)
        {
            if (dependency != ModuleName.Core && !_modules.Exists(m => m.Module.Name == dependency))
                throw new AgentException($"the {module.Name} module needs the {dependency} module; enable that too in agent.json");
        }

        _modules.Add(new ManagedModule(module, declaration));
    }

    private void Start(ManagedModule module)
    {
        var before = _residentBytes();
        var run = ++module.Run;
        module.Module.Start(reason =>
        {
            _failures.Enqueue((module, run, reason));
            _wake();
        });
        module.State = ModuleState.Running;
        module.StartRssBytes = Math.Max(0, _residentBytes() - before);
        _log.Info(AgentEvent.ModuleStarted, ModuleName.Core, $"module {module.Module.Name} runs");
    }

    private void Restart(ManagedModule module)
    {
        try
        {
            module.Restarts++;
            Start(module);
        }
        catch (Exception e)
        {
            Fail(module, e.Message);
        }
    }

    private void Fail(ManagedModule module, string reason)
    {
        module.LastFailure = reason;
        _log.Error(AgentEvent.ModuleFailed, ModuleName.Core, $"module {module.Module.Name} failed: {reason}");
        for (var i = _modules.Count - 1; i >= 0; i--)
        {
            if (_modules[i].State == ModuleState.Running && DependsOn(_modules[i], module.Module.Name))
                Stop(_modules[i], ModuleState.WaitingForDependency, ManagedModule.RestartStopDeadline);
        }

        Stop(module, ModuleState.BackingOff, ManagedModule.RestartStopDeadline);
        module.State = ModuleState.BackingOff;
        var now = Now;
        module.RestartAt = module.BackOff.Next(now);
        _log.Info(AgentEvent.ModuleRestarting, ModuleName.Core,
            $"module {module.Module.Name} starts again in {(module.RestartAt - now).TotalSeconds:0} s");
    }

    private void Stop(ManagedModule module, ModuleState next, TimeSpan deadline)
    {
        if (module.State == ModuleState.Running)
        {
            try
            {
                module.Module.Stop(deadline);
            }
            catch (Exception e)
            {
                _log.Error(AgentEvent.ModuleStopFailed, ModuleName.Core, $"module {module.Module.Name} did not stop cleanly: {e.Message}");
            }
        }

        module.State = next;
    }

    private bool DependsOn(ManagedModule module, string name)
    {
        foreach (var dependency in module.Declaration.DependsOn)
        {
            if (dependency == name || (Find(dependency) is { } between && DependsOn(between, name)))
                return true;
        }

        return false;
    }

    private bool DependenciesRun(ManagedModule module)
    {
        foreach (var dependency in module.Declaration.DependsOn)
        {
            if (Find(dependency) is { } found && found.State != ModuleState.Running)
                return false;
        }

        return true;
    }

    private ManagedModule? Find(string name) => _modules.Find(m => m.Module.Name == name);
}
