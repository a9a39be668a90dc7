namespace Streams.Agent.Modules.Core;

/// <summary>A module as the specification declares it (section 8): what it needs, and whether this build has it.</summary>
internal sealed record ModuleDeclaration(string Name, bool IsBuilt, params string[] DependsOn);
