namespace Streams.Agent.Modules.Core;

/// <summary>A part of the agent that the manager starts, restarts and stops. Calls come from one thread, never two at a time.</summary>
internal interface IAgentModule
{
    string Name { get; }

    /// <summary>
    /// Starts; returns when the module works. It may be called again after a failure or a stop. A module that ends by itself later calls
    /// <paramref name="failed"/> with the reason, from any thread, once.
    /// </summary>
    /// <exception cref="AgentException">It cannot start; at the agent's start this ends the agent, later it is retried.</exception>
    void Start(Action<string> failed);

    /// <summary>Stops and frees everything; after it no thread of the module runs. Must not take longer than <paramref name="deadline"/>.</summary>
    void Stop(TimeSpan deadline);
}
