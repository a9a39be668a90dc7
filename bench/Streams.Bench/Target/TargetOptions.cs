using System.CommandLine;
using Streams.Bench.Running;

namespace Streams.Bench.Target;

/// <summary>A deployment that runs and is not ours: where it is, what it may be given, and what may be done there.</summary>
internal sealed record TargetOptions
{
    /// <summary>10,000 events/s: what two busy hosts have. Whoever wants more says so.</summary>
    public const int DefaultMaxRate = 10_000;

    private const int HighestMaxRate = 5_000_000;

    public required Uri Gateway { get; init; }

    /// <summary>File with an enrolment token (`streams enroll create --prefix P --uses N`).</summary>
    public required string TokenFile { get; init; }

    public required int MaxRate { get; init; }

    public required bool Yes { get; init; }

    public string? AuthorityFile { get; init; }

    /// <summary>ClickHouse of the deployment, to count the rows and to delete them; null leaves both to its operator.</summary>
    public Uri? ClickHouse { get; init; }

    public required string ClickHouseUser { get; init; }

    public string? ClickHousePasswordFile { get; init; }

    public required string Database { get; init; }

    /// <summary>Data directory of the deployment when it is on this host, to revoke the identities; null leaves that to its operator.</summary>
    public string? Data { get; init; }

    /// <summary>Adds the options to a case; the result reads them, null when no target is named.</summary>
    public static Func<ParseResult, TargetOptions?> AddTo(Command command)
    {
        var target = new Option<string?>("--target") { Description = "Load a deployment that runs, as wss://host:port, instead of a system of its own. Asks first." };
        var token = new Option<string?>("--token-file") { Description = "With --target: file with an enrolment token that is good for the case's agents." };
        var rate = new Option<int>("--max-rate") { Description = $"With --target: most events a second, 1 to {HighestMaxRate}.", DefaultValueFactory = _ => DefaultMaxRate };
        var yes = new Option<bool>("--yes") { Description = "With --target: do not ask." };
        var authority = new Option<string?>("--tls-ca") { Description = "With --target: PEM certificates to trust instead of the system's." };
        var clickHouse = new Option<string?>("--clickhouse") { Description = "With --target: its ClickHouse, as http://host:8123/, to count the rows and to delete them afterwards." };
        var user = new Option<string>("--clickhouse-user") { Description = "Its user.", DefaultValueFactory = _ => "streams" };
        var password = new Option<string?>("--clickhouse-password-file") { Description = "File with the user's password." };
        var database = new Option<string>("--database") { Description = "Its database.", DefaultValueFactory = _ => "streams" };
        var data = new Option<string?>("--data") { Description = "With --target on this host: its data directory, to revoke the identities afterwards." };
        foreach (var option in new Option[] { target, token, rate, yes, authority, clickHouse, user, password, database, data })
        {
            command.Add(option);
        }

        return parse => parse.GetValue(target) is not { } address ? null : new TargetOptions
        {
            Gateway = Uri.TryCreate(address, UriKind.Absolute, out var gateway) && gateway.Scheme is "ws" or "wss"
                ? gateway! : throw new BenchFailure($"--target {address}: expected wss://host:port or ws://host:port"),
            TokenFile = parse.GetValue(token) is { } file && File.Exists(file)
                ? file : throw new BenchFailure("--target needs --token-file FILE with a token; the deployment's operator makes it with `streams enroll create --prefix bench --uses N`"),
            MaxRate = parse.GetValue(rate) is >= 1 and <= HighestMaxRate and var most ? most : throw new BenchFailure($"--max-rate {parse.GetValue(rate)}: expected 1 to {HighestMaxRate}"),
            Yes = parse.GetValue(yes),
            AuthorityFile = parse.GetValue(authority),
            ClickHouse = parse.GetValue(clickHouse) is not { } url ? null
                : Uri.TryCreate(url, UriKind.Absolute, out var server) && server.Scheme is "http" or "https" ? server
                : throw new BenchFailure($"--clickhouse {url}: expected http://host:8123/"),
            ClickHouseUser = parse.GetValue(user)!,
            ClickHousePasswordFile = parse.GetValue(password) is { } secret && !File.Exists(secret) ? throw new BenchFailure($"--clickhouse-password-file {secret}: no such file") : parse.GetValue(password),
            Database = parse.GetValue(database)!,
            Data = parse.GetValue(data),
        };
    }
}
