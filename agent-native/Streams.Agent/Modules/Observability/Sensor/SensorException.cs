namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>The sensor cannot start for a reason that is not an errno: layouts differ, or another agent runs.</summary>
public sealed class SensorException(string message) : Exception(message);
