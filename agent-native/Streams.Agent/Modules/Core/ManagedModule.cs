namespace Streams.Agent.Modules.Core;

/// <summary>What the manager knows of one module. Written by the manager's thread only.</summary>
internal sealed class ManagedModule(IAgentModule module, ModuleDeclaration declaration)
{
    /// <summary>A module that is restarted must not hold up the others for long.</summary>
    public static readonly TimeSpan RestartStopDeadline = TimeSpan.FromSeconds(2);

    public IAgentModule Module { get; } = module;

    public ModuleDeclaration Declaration { get; } = declaration;

    public RestartBackOff BackOff { get; } = new();

    public volatile ModuleState State;

    /// <summary>Number of the current start, so that a late report of an earlier one is recognised.</summary>
    public int Run { get; set; }

    public uint Restarts { get; set; }

    /// <summary>On the manager's monotonic clock.</summary>
    public TimeSpan RestartAt { get; set; }

    public long StartRssBytes { get; set; }

    public string? LastFailure { get; set; }
}
