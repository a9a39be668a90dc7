namespace Streams.Agent.Modules.Core;

internal enum ModuleState
{
    /// <summary>Not started yet, or stopped with the agent.</summary>
    Stopped,
    Running,

    /// <summary>Failed; waits for its next attempt.</summary>
    BackingOff,

    /// <summary>Runs no more because a module it depends on does not run.</summary>
    WaitingForDependency,
}
