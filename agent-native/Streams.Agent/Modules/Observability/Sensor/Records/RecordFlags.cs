namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>FLAG_* of events.h; the column "flags" of every class.</summary>
[Flags]
public enum RecordFlags : uint
{
    None = 0,
    ArgvTruncated = 1 << 0,
    FilenameTruncated = 1 << 1,

    /// <summary>A user page was not resident, so argv is incomplete.</summary>
    ReadFault = 1 << 2,

    /// <summary>The socket is older than the sensor: pid, uid and comm are not known.</summary>
    OriginUnknown = 1 << 3,

    /// <summary>The socket is older than the sensor: duration or latency is not known.</summary>
    StartUnknown = 1 << 4,

    /// <summary>The owner was found by the scan of open files at start.</summary>
    Seeded = 1 << 5,
}
