namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>Class ids that the kernel side stamps (CLASS_* of events.h). The same numbers as in the catalogue.</summary>
public static class RecordClass
{
    public const ushort ProcessExec = 1;
    public const ushort ProcessExit = 2;
    public const ushort NetworkConnect = 3;
    public const ushort NetworkAccept = 4;
    public const ushort NetworkClose = 5;

    /// <summary>Size of the slot table: ids are below it.</summary>
    public const int Slots = 64;

    /// <summary>Above the highest id that the programs of this version emit: tables per CPU need no more.</summary>
    public const int End = NetworkClose + 1;

    /// <summary>The classes that the programs of this version emit.</summary>
    public static ReadOnlySpan<ushort> All => [ProcessExec, ProcessExit, NetworkConnect, NetworkAccept, NetworkClose];
}
