using Streams.Queue;

namespace Streams.Worker;

/// <summary>
/// What the worker role needs to know. To add a setting: a property with its default and the reason, its check in <see cref="Check"/>,
/// a test of the refusal, and the option in the host's command.
/// </summary>
public sealed record WorkerOptions
{
    /// <summary>Address of NATS, <c>nats://host:port</c>.</summary>
    public required Uri NatsUrl { get; init; }

    /// <summary>File with the NKey seed of the role <c>worker</c>.</summary>
    public required string NatsSeedFile { get; init; }

    /// <summary>Address of ClickHouse's HTTP interface.</summary>
    public required Uri ClickHouseUrl { get; init; }

    public string ClickHouseUser { get; init; } = "streams";

    /// <summary>File with the password, without line end or with one.</summary>
    public required string ClickHousePasswordFile { get; init; }

    public string Database { get; init; } = "default";

    /// <summary>Ingest partitions; fixed when the topology was created and checked at every start.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>
    /// Quotas of streams and buckets, when they are made; its number of partitions is taken from <see cref="Partitions"/>.
    /// </summary>
    public TopologyOptions Topology { get; init; } = new();

    /// <summary>Shortest linger: what a quiet system waits for company of a batch (p99 target of the path).</summary>
    public TimeSpan LingerMinimum { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest linger, when many tables share the budget of parts.</summary>
    public TimeSpan LingerMaximum { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Rows of one insert. Below 1,048,449 ClickHouse keeps a block whole; ClickHouse's cost per row falls up to here.</summary>
    public int MaxRowsPerBlock { get; init; } = 1_000_000;

    /// <summary>Days that rows are kept.</summary>
    public int TtlDays { get; init; } = 30;

    /// <summary>Ranges of a partition between closing and commit; bounds memory and what recovery may find half done.</summary>
    public int OpenRanges { get; init; } = 4;

    /// <summary>Messages asked of the queue at once, per partition; the reader bounds their bytes besides (8 MiB).</summary>
    public int ReadAhead { get; init; } = 512;

    /// <summary>
    /// Lease on a partition: what a successor waits after this process died, and how long it may stall before it must stop
    /// inserting.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Batches that an agent may have given up in an hour before its lanes are held: a poison batch now and then costs itself only, a host
    /// or an engine that makes nothing else must be looked at, not thrown away.
    /// </summary>
    public int DeadLettersPerHour { get; init; } = 20;

    /// <summary>How often barriers are compared with the rows; an alert on a difference comes at most this much after its barrier was covered.</summary>
    public TimeSpan LedgerInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often parts that inserts and merges made since are read once; the engine keeps what they replaced for eight minutes.</summary>
    public TimeSpan PartInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="Storage.StorageOptions.ShortDiskBytes"/>
    public long ShortDiskBytes { get; init; } = 4L << 30;

    /// <summary>How often watermark deltas go to the gateways; one message per partition with the changed lanes.</summary>
    public TimeSpan WatermarkInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a stop may take to commit what is in flight before it is left to recovery.</summary>
    public TimeSpan DrainPatience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Called between the last look at the leases and the first byte of an insert; only tests stop there.</summary>
    internal Action? BeforeSend { get; init; }

    /// <summary>One line that says what is wrong and how to mend it, or null.</summary>
    public string? Check()
    {
        if (NatsUrl is not { IsAbsoluteUri: true, Scheme: "nats" or "tls" })
        {
            return $"worker: NATS address '{NatsUrl}' is not nats://host:port";
        }

        if (ClickHouseUrl is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
        {
            return $"worker: ClickHouse address '{ClickHouseUrl}' is not http://host:port";
        }

        if (!File.Exists(NatsSeedFile))
        {
            return $"worker: NATS seed file '{NatsSeedFile}' does not exist";
        }

        if (!File.Exists(ClickHousePasswordFile))
        {
            return $"worker: ClickHouse password file '{ClickHousePasswordFile}' does not exist";
        }

        if (CheckMode("NATS seed file", NatsSeedFile) is { } openSeed)
        {
            return openSeed;
        }

        if (CheckMode("ClickHouse password file", ClickHousePasswordFile) is { } openPassword)
        {
            return openPassword;
        }

        if (string.IsNullOrWhiteSpace(ClickHouseUser))
        {
            return "worker: the ClickHouse user is empty";
        }

        if (Database.Length is 0 or > 63 || !Database.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'))
        {
            return $"worker: database '{Database}' must be 1-63 characters of a-z, 0-9 and _";
        }

        return CheckNumbers();
    }

    // The same rule as for the gateway's key files: nobody but the owner.
    private static string? CheckMode(string what, string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        var mode = File.GetUnixFileMode(path);
        return (mode & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) == 0
            ? null
            : $"worker: {what} '{path}' has mode {Convert.ToString((int)mode, 8).PadLeft(4, '0')}, must be 0600: run chmod 600 {path}";
    }

    private string? CheckNumbers()
    {
        if (Partitions is < 1 or > 64)
        {
            return $"worker: partitions is {Partitions}, must be 1-64";
        }

        if (LingerMinimum < TimeSpan.FromMilliseconds(10) || LingerMaximum > TimeSpan.FromSeconds(30) || LingerMinimum > LingerMaximum)
        {
            return $"worker: linger {LingerMinimum.TotalMilliseconds:0}-{LingerMaximum.TotalMilliseconds:0} ms"
                + " must lie within 10-30000 ms, shortest first";
        }

        if (MaxRowsPerBlock is < 65_536 or > 1_000_000)
        {
            return $"worker: rows per block is {MaxRowsPerBlock}, must be 65536-1000000";
        }

        if (TtlDays is < 1 or > 3650)
        {
            return $"worker: ttl is {TtlDays} days, must be 1-3650";
        }

        if (OpenRanges is < 1 or > 16)
        {
            return $"worker: open ranges is {OpenRanges}, must be 1-16";
        }

        if (ReadAhead is < 1 or > 4096)
        {
            return $"worker: read-ahead is {ReadAhead} messages, must be 1-4096";
        }

        if (Lease < TimeSpan.FromSeconds(1) || Lease > TimeSpan.FromMinutes(5))
        {
            return $"worker: lease is {Lease.TotalSeconds:0.#} s, must be 1-300 s";
        }

        if (DeadLettersPerHour is < 1 or > 100_000)
        {
            return $"worker: dead letters per hour is {DeadLettersPerHour}, must be 1-100000";
        }

        if (LedgerInterval < TimeSpan.FromMilliseconds(100) || LedgerInterval > TimeSpan.FromHours(1))
        {
            return $"worker: ledger interval is {LedgerInterval.TotalSeconds:0.#} s, must be 0.1-3600 s";
        }

        if (PartInterval < TimeSpan.FromMilliseconds(100) || PartInterval > TimeSpan.FromMinutes(4))
        {
            return $"worker: part interval is {PartInterval.TotalSeconds:0.#} s, must be 0.1-240 s";
        }

        if (ShortDiskBytes < 0)
        {
            return $"worker: short disk is {ShortDiskBytes} bytes, must be 0 or more";
        }

        return WatermarkInterval < TimeSpan.FromMilliseconds(10) || WatermarkInterval > TimeSpan.FromSeconds(10)
            ? $"worker: watermark interval is {WatermarkInterval.TotalMilliseconds:0} ms, must be 10-10000 ms"
            : null;
    }
}
