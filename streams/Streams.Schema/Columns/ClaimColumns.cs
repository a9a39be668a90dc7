namespace Streams.Schema;

/// <summary>
/// The columns that every class begins with: what the agent claims about a row. Their ordinals are the same in all classes,
/// so that hot code can address them by constant.
/// </summary>
public static class ClaimColumns
{
    public const int Time = 0;
    public const int Seq = 1;
    public const int Cpu = 2;
    public const int PolicyGeneration = 3;
    public const int Flags = 4;
    public const int Count = 5;

    /// <summary>First id that a class may give to a column of its own.</summary>
    public const ushort FirstClassColumnId = 16;

    /// <summary>Value of <c>cpu</c> for producers that run in user space and have no per-CPU sequence.</summary>
    public const ushort UserSpaceCpu = 65535;

    public static IReadOnlyList<Column> All { get; } =
    [
        new(1, "time", ColumnType.DateTime64Micro, "when it happened: boot clock plus the offset sampled for its batch"),
        new(2, "seq", ColumnType.UInt64, "sequence number of (sensor_epoch, class, cpu), without gaps at the producer"),
        new(3, "cpu", ColumnType.UInt16, "CPU that stamped seq; 65535 for user-space producers"),
        new(4, "policy_generation", ColumnType.UInt64, "generation of the policy in force, 0 without one"),
        new(5, "flags", ColumnType.UInt32, "bits whose meaning belongs to the class"),
    ];
}
