using Streams.Bench.Chaos.Sources;
using Streams.Bench.Running;
using Streams.Local;

namespace Streams.Bench.Chaos.Running;

/// <summary>A NATS and a ClickHouse that already run and are not the harness's to stop: `serve` is pointed at them.</summary>
/// <param name="Nats">As `nats://host:4222`.</param>
/// <param name="NatsKeys">Directory with the seeds of the roles: nats-gateway.nk, nats-worker.nk, nats-services.nk, nats-operator.nk.</param>
/// <param name="ClickHouse">As `http://host:8123/`.</param>
/// <param name="User">ClickHouse user.</param>
/// <param name="PasswordFile">File with its password.</param>
internal sealed record ExternalServers(string Nats, string NatsKeys, string ClickHouse, string User, string PasswordFile)
{
    private static readonly TimeSpan BucketsDeadline = TimeSpan.FromSeconds(60);
    private static readonly string[] Roles = ["gateway", "worker", "services", "operator"];

    /// <summary>Null when none is given.</summary>
    /// <exception cref="BenchFailure">Only some are given, or a file is missing.</exception>
    public static ExternalServers? Of(string? nats, string? natsKeys, string? clickHouse, string user, string? passwordFile)
    {
        if ((nats ?? natsKeys ?? clickHouse ?? passwordFile) is null)
        {
            return null;
        }

        if (nats is null || natsKeys is null || clickHouse is null || passwordFile is null)
        {
            throw new BenchFailure("servers of others need all of --nats, --nats-keys, --clickhouse and --clickhouse-password-file");
        }

        // Others' processes are started elsewhere: relative paths would be theirs.
        var external = new ExternalServers(nats, Path.GetFullPath(natsKeys), clickHouse, user, Path.GetFullPath(passwordFile));
        foreach (var file in Roles.Select(external.SeedFile).Append(external.PasswordFile).Where(file => !File.Exists(file)))
        {
            throw new BenchFailure($"{file} does not exist");
        }

        return external;
    }

    /// <summary>Where everything is, with the gateway of <paramref name="local"/>.</summary>
    public Endpoints Replace(Endpoints local) => local with
    {
        Pid = Environment.ProcessId,
        Nats = Nats,
        NatsSeedFiles = Roles.ToDictionary(role => role, SeedFile),
        ClickHouse = ClickHouse,
        ClickHouseUser = User,
        ClickHousePasswordFile = PasswordFile,
    };

    /// <summary>Lets the sources in; waits for the worker to make the buckets, as its role alone may.</summary>
    public static async Task LetInAsync(
        string data, Endpoints endpoints, IReadOnlyList<(string Id, SourceFiles Files)> sources, int agents, CancellationToken stop)
    {
        using var directory = DataDirectory.Open(data);
        endpoints.Write(directory);
        var until = DateTime.UtcNow + BucketsDeadline;
        foreach (var (id, files) in sources)
        {
            while (true)
            {
                try
                {
                    await ChaosStack.LetInAsync(data, id, files, agents, stop);
                    break;
                }
                catch (BenchFailure) when (DateTime.UtcNow < until)
                {
                    ChaosStack.ForgetKeys(files);
                    await Task.Delay(500, stop);
                }
            }
        }
    }

    private string SeedFile(string role) => Path.Combine(NatsKeys, $"nats-{role}.nk");
}
