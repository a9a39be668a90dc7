namespace Streams.Bench.Smoke;

/// <summary>What the smoke run measured; `--json` writes it as one flat object.</summary>
internal sealed record SmokeReport
{
    /// <summary>Rows committed, counted in the tables.</summary>
    public required long CommittedRows { get; init; }

    public required double CommittedRowsPerSecond { get; init; }

    /// <summary>CPU seconds per million rows of gateway, worker, NATS and ClickHouse, merges settled. The agents' side is the
    /// generator and is not counted.</summary>
    public required double CpuSecondsPerMillion { get; init; }

    public required double ServeCpuSecondsPerMillion { get; init; }

    public required double NatsCpuSecondsPerMillion { get; init; }

    public required double ClickhouseCpuSecondsPerMillion { get; init; }

    /// <summary>CPU seconds per million rows of the engine for the same rows as prepared Native blocks.</summary>
    public required double RawNativeCpuSecondsPerMillion { get; init; }

    public required double RawNativeRowsPerSecond { get; init; }

    /// <summary>Raw Native insert divided by the whole path.</summary>
    public required double CpuVsRawNative { get; init; }

    /// <summary>Rows sent minus distinct rows in the tables; anything but 0 fails the run.</summary>
    public required long Lost { get; init; }

    /// <summary>Rows that are there more than once; anything but 0 fails the run.</summary>
    public required long Doubled { get; init; }

    public required double WireBytesPerRow { get; init; }
}
