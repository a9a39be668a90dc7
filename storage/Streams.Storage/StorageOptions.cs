namespace Streams.Storage;

/// <summary>How to reach ClickHouse and how long to keep rows. To add a setting: property, reason of the default, check in
/// <see cref="Validate"/>, test.</summary>
public sealed record StorageOptions
{
    /// <summary>HTTP address, for example http://127.0.0.1:8123/.</summary>
    public required Uri Url { get; init; }

    public string User { get; init; } = "streams";

    public string Password { get; init; } = "";

    public string Database { get; init; } = "default";

    /// <summary>Days that rows of classes are kept after received_at: a month answers most incident reviews.</summary>
    public int RetentionDays { get; init; } = 30;

    /// <summary>Days that <c>loss_ledger</c> is kept; it must outlive the rows it speaks of. A year and a bit, for yearly
    /// reports.</summary>
    public int LedgerRetentionDays { get; init; } = 400;

    /// <summary>After this time an insert is in doubt: shorter than a partition lease, longer than any healthy insert.</summary>
    public TimeSpan InsertTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Time limit of read-backs and of migrations' statements.</summary>
    public TimeSpan QueryTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// With less room than this on any disk of ClickHouse, and for a minute after it, every insert is read back. Disks are looked at once a second at least: what writes
    /// 4 GiB and removes them again between two looks writes faster than disks do.
    /// </summary>
    public long ShortDiskBytes { get; init; } = 4L << 30;

    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    public void Validate()
    {
        if (Url.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"ClickHouse address {Url} is neither http nor https");
        }

        if (RetentionDays is < 1 or > 3650)
        {
            throw new ArgumentException($"retention of {RetentionDays} days is not within 1 and 3650");
        }

        if (LedgerRetentionDays <= RetentionDays)
        {
            throw new ArgumentException($"the ledger ({LedgerRetentionDays} days) must outlive the rows ({RetentionDays} days)");
        }

        if (InsertTimeout <= TimeSpan.Zero || QueryTimeout <= TimeSpan.Zero)
        {
            throw new ArgumentException("timeouts must be positive");
        }

        if (ShortDiskBytes < 0)
        {
            throw new ArgumentException($"a disk cannot be short at {ShortDiskBytes} bytes");
        }
    }
}
