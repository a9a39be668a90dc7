namespace Streams.Services;

/// <summary>
/// What the services role needs to know. To add a setting: a property with its default and the reason, its check in <see cref="Check"/>,
/// a test of the refusal, and the option in the host's command.
/// </summary>
public sealed record ServicesOptions
{
    /// <summary>Address of NATS, <c>nats://host:port</c>.</summary>
    public required Uri NatsUrl { get; init; }

    /// <summary>File with the NKey seed of the role <c>services</c>.</summary>
    public required string NatsSeedFile { get; init; }

    /// <summary>Address of ClickHouse's HTTP interface.</summary>
    public required Uri ClickHouseUrl { get; init; }

    public string ClickHouseUser { get; init; } = "streams";

    /// <summary>File with the password, without line end or with one.</summary>
    public required string ClickHousePasswordFile { get; init; }

    public string Database { get; init; } = "default";

    /// <summary>Ingest partitions; the role's own rows go through one of them.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>In the agent id of the role's own rows, <c>_services-NAME</c>.</summary>
    public string Name { get; init; } = Environment.MachineName;

    /// <summary>The key that signs commands which only look, and its certificate; without them no command is given.</summary>
    public string? ServiceKeyFile { get; init; }

    public string? ServiceCertificateFile { get; init; }

    /// <summary>The signed list of revoked certificates, as <c>keys revoke</c> keeps it: put back into a queue that has none or an older one.</summary>
    public string? RevocationsFile { get; init; }

    /// <summary>The signed statement about the next fleet root, as <c>keys root</c> keeps it: put back like the list.</summary>
    public string? SuccessionFile { get; init; }

    /// <summary>A token of the role admin that is always good, for who may read this file; null: tokens are made by other admins only.</summary>
    public string? AdminTokenFile { get; init; }

    /// <summary>How long a stop sends what waits to be rows: as long as a worker needs for a round, twice.</summary>
    public TimeSpan FlushPatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>One line that says what is wrong and how to mend it, or null.</summary>
    public string? Check()
    {
        if (NatsUrl is not { IsAbsoluteUri: true, Scheme: "nats" or "tls" })
        {
            return $"services: NATS address '{NatsUrl}' is not nats://host:port";
        }

        if (ClickHouseUrl is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
        {
            return $"services: ClickHouse address '{ClickHouseUrl}' is not http://host:port";
        }

        if (!File.Exists(NatsSeedFile))
        {
            return $"services: NATS seed file {NatsSeedFile} does not exist";
        }

        if (!File.Exists(ClickHousePasswordFile))
        {
            return $"services: ClickHouse password file {ClickHousePasswordFile} does not exist";
        }

        if (ServiceKeyFile is null != ServiceCertificateFile is null)
        {
            return "services: the service key and its certificate are given together";
        }

        return Partitions is >= 1 and <= 256 ? null : $"services: {Partitions} partitions; expected 1 to 256, as the worker has";
    }
}
