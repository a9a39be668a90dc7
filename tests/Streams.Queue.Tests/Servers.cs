using Streams.Local;
using Streams.Testing;

namespace Streams.Queue.Tests;

/// <summary>Connections by role to a test's server.</summary>
internal static class Servers
{
    public static Task<QueueConnection> OpenAsync(this NatsProcess nats, QueueRole role, TimeSpan? patience = null) =>
        QueueConnection.OpenAsync(new QueueOptions
        {
            Url = nats.Url,
            Role = role,
            Seed = nats.Seed(Enum.Parse<NatsRole>(role.ToString())),
            Name = $"test-{role}",
            RequestTimeout = patience ?? TimeSpan.FromSeconds(5),
        });

    /// <summary>Small quotas: a test server's file store is small.</summary>
    public static TopologyOptions Small(int partitions = 4, long ingestBytes = 48L << 20) => new()
    {
        Partitions = partitions,
        IngestBytes = ingestBytes,
        SessionsBytes = 4L << 20,
        IdentitiesBytes = 4L << 20,
    };
}
