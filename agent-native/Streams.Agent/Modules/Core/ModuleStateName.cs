namespace Streams.Agent.Modules.Core;

internal static class ModuleStateName
{
    public static string Of(ModuleState state) => state switch
    {
        ModuleState.Running => "running",
        ModuleState.BackingOff => "backing_off",
        ModuleState.WaitingForDependency => "waiting",
        _ => "stopped",
    };
}
