using System.Text.Json.Serialization;

namespace Streams.Bench.Comparisons;

/// <summary>What `limits` measured; `--json` writes what there is as one flat object. A ratio is that of the two values beside it.</summary>
internal sealed class LimitsReport
{
    /// <summary>Bytes of Native that a core encodes out of merged batches: blocks of 250,000 rows, two of process_exec for one of network_connect.</summary>
    public double? NativeEncodeGbPerSecond { get; set; }

    /// <summary>The same bytes copied from one array to another.</summary>
    public double? MemcpyGbPerSecond { get; set; }

    public double? NativeEncodeVsMemcpy => NativeEncodeGbPerSecond / MemcpyGbPerSecond;

    /// <summary>libsodium's ChaCha20-Poly1305, 16 KiB sealed and opened again.</summary>
    public double? BareAeadGbPerSecond { get; set; }

    /// <summary>Rows that our merge, encode and POST bring into Null tables for a CPU-second of the client.</summary>
    public double? EncodeRowsPerCpuSecond { get; set; }

    /// <summary>The same by ClickHouse.Driver's bulk insert, with or without compression, whichever is better.</summary>
    public double? DriverBulkRowsPerCpuSecond { get; set; }

    public double? EncodeVsDriverBulk => EncodeRowsPerCpuSecond / DriverBulkRowsPerCpuSecond;

    [JsonIgnore]
    public StageRates? Stages { get; set; }

    public double? WorkerGraphRowsPerSecond => Stages?.WorkerGraphRowsPerSecond;

    public double? WorkerLoopRowsPerSecond => Stages?.WorkerLoopRowsPerSecond;

    public double? GatewayGraphRowsPerSecond => Stages?.GatewayGraphRowsPerSecond;

    public double? GatewayLoopRowsPerSecond => Stages?.GatewayLoopRowsPerSecond;

    /// <summary>The worse of the two graphs.</summary>
    public double? StageVsChannelLoop => Stages is null ? null : Math.Min(Stages.WorkerRatio, Stages.GatewayRatio);

    /// <summary>Of the engine, merges settled.</summary>
    public double? RawNativeCpuSecondsPerMillion { get; set; }

    /// <summary>Of the engine for the same rows as lines of JSON, merges settled.</summary>
    public double? JsonEachRowCpuSecondsPerMillion { get; set; }

    /// <summary>Of gateway, worker, NATS and ClickHouse together.</summary>
    public double? PathRowsPerCpuSecond { get; set; }

    /// <summary>Of syslog-ng and ClickHouse together; absent when it is not installed.</summary>
    public double? SyslogNgRowsPerCpuSecond { get; set; }

    public double? VsSyslogNg => PathRowsPerCpuSecond / SyslogNgRowsPerCpuSecond;

    /// <summary>Of the program of `--collector` and ClickHouse together.</summary>
    public double? CollectorRowsPerCpuSecond { get; set; }

    public double? VsCollector => PathRowsPerCpuSecond / CollectorRowsPerCpuSecond;
}
