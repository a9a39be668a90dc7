namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>Names of the maps that are pinned as one instance, and of their files.</summary>
internal static class SensorMaps
{
    public const string Events = "events";
    public const string Slots = "slots";
    public const string Control = "control";
    public const string Instance = "instance";
    public const string Excluded = "excluded";
    public const string Owners = "owners";
    public const string Positions = "positions";

    /// <summary>Those of emit.h, which all objects of an instance share.</summary>
    public static IReadOnlyList<string> Shared { get; } = [Events, Slots, Control, Instance, Excluded];

    /// <summary>Everything that an instance must have to be taken over.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Shared, Owners, Positions];
}
