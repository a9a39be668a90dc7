namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>Names of the maps in emit.h that all objects of an instance share.</summary>
internal static class SensorMaps
{
    public const string Events = "events";
    public const string Slots = "slots";
    public const string Control = "control";
    public const string Instance = "instance";
    public const string Excluded = "excluded";

    public static IReadOnlyList<string> All { get; } = [Events, Slots, Control, Instance, Excluded];
}
