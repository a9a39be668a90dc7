namespace Streams.Agent.Modules.Core.Identity;

/// <summary>Which of the agent's keys: each was named to the server by the one before.</summary>
internal enum KeySlot
{
    Old,
    Present,
    Next,
}
