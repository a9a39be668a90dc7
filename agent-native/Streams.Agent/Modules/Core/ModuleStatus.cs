namespace Streams.Agent.Modules.Core;

/// <summary>A module at one moment. <paramref name="StartRssBytes"/>: how much the resident set grew while it started.</summary>
internal readonly record struct ModuleStatus(string Name, ModuleState State, uint Restarts, long StartRssBytes, string? LastFailure);
