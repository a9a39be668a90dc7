namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>How often a program could not run because it was running on that CPU already: events that nobody stamped.</summary>
/// <param name="Program">Function name.</param>
/// <param name="Class">The class it emits; for the program of all network classes network_connect.</param>
/// <param name="Missed">Since it was loaded.</param>
public readonly record struct ProgramMiss(string Program, ushort Class, ulong Missed);
