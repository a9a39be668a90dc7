namespace Streams.Agent.Modules.Core;

/// <summary>All modules in the specification's start order; they stop in the reverse order.</summary>
internal static class ModuleDeclarations
{
    /// <summary>The specification's limit of modules in one agent.</summary>
    public const int Maximum = 10;

    public static readonly ModuleDeclaration[] InStartOrder =
    [
        new(ModuleName.Core, true),
        new(ModuleName.Comm, true, ModuleName.Core),
        new(ModuleName.Telemetry, true, ModuleName.Core),
        new(ModuleName.Observability, true, ModuleName.Core),
        new(ModuleName.Analysis, false, ModuleName.Observability),
        new(ModuleName.ThreatIntel, false, ModuleName.Analysis),
        new(ModuleName.Policy, false, ModuleName.Observability),
    ];
}
