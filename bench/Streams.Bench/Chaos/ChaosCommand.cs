using System.CommandLine;
using System.Text.Json;
using Streams.Bench.Chaos.Kernel;
using Streams.Bench.Chaos.Profiles;
using Streams.Bench.Chaos.Running;
using Streams.Bench.Running;

namespace Streams.Bench.Chaos;

/// <summary>`chaos`: faults under load, and the verdict of the checkers.</summary>
internal static class ChaosCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true
    };

    public static Command Create()
    {
        var profile = new Option<string>("--profile")
        {
            Description = $"One of {string.Join(", ", ProfileCatalogue.Names)}.",
            DefaultValueFactory = _ => "random"
        };
        var faults = new Option<int?>("--faults") { Description = "Number of faults, 1 to 10000; the profile's own if not given." };
        var seed = new Option<int>("--seed") { Description = "The faults are a function of it.", DefaultValueFactory = _ => 1 };
        var rate = new Option<int>("--rate")
        {
            Description = "Events a second of all sources together, 40 to 200000.",
            DefaultValueFactory = _ => 5000
        };
        var sources = new Option<int>("--sources")
        {
            Description = "Synthetic agents, 1 to 64, each a process.",
            DefaultValueFactory = _ => 4
        };
        var brief = new Option<bool>("--short") { Description = "Fewer faults and a tenth of the profile's durations: for CI." };
        var disk = new Option<int?>("--disk-mib") { Description = "Give the servers a disk (tmpfs) of this size, and fill it: needs root. disk-full has 2048." };
        var apart = new Option<bool>("--worker-apart") { Description = "random: gateway and worker are two processes, each killed, stopped and restarted alone." };
        var keep = new Option<bool>("--keep") { Description = "Leave data and logs in place." };
        var nats = new Option<string?>("--nats")
        {
            Description = "A NATS that runs already, with 4 partitions or none; nothing is done to it, nor to ClickHouse.",
        };
        var natsKeys = new Option<string?>("--nats-keys") { Description = "Directory of its nats-{gateway,worker,operator}.nk." };
        var clickHouse = new Option<string?>("--clickhouse") { Description = "The ClickHouse to go with it, as http://host:8123/." };
        var user = new Option<string>("--clickhouse-user") { Description = "Its user.", DefaultValueFactory = _ => "streams" };
        var password = new Option<string?>("--clickhouse-password-file") { Description = "File with the user's password." };
        var json = new Option<string?>("--json") { Description = "Write the result to this file, one object." };
        var command = new Command("chaos", "Faults under load, then the verdict: lost, doubled, reordered, altered, unaccounted.")
        {
            profile, faults, seed, rate, sources, brief, disk, apart, keep, json, nats, natsKeys, clickHouse, user, password,
        };
        command.SetAction(async (parse, stop) =>
        {
            var options = new ChaosOptions
            {
                Profile = parse.GetValue(profile)!,
                Faults = InRange("--faults", parse.GetValue(faults), 1, 10_000),
                Seed = parse.GetValue(seed),
                Rate = InRange("--rate", parse.GetValue(rate), 40, 200_000)!.Value,
                Sources = InRange("--sources", parse.GetValue(sources), 1, 64)!.Value,
                Short = parse.GetValue(brief),
                DiskMebibytes = InRange("--disk-mib", parse.GetValue(disk), 1024,
                    65_536) ?? (parse.GetValue(profile) == "disk-full" ? 2048 : 0),
                WorkerApart = parse.GetValue(apart),
                Keep = parse.GetValue(keep),
                Json = parse.GetValue(json),
                External = ExternalServers.Of(parse.GetValue(nats), parse.GetValue(natsKeys), parse.GetValue(clickHouse),
                    parse.GetValue(user)!, parse.GetValue(password)),
            };
            return await RunAsync(options, stop);
        });
        return command;
    }

    private static async Task<int> RunAsync(ChaosOptions options, CancellationToken stop)
    {
        var directory = Directory.CreateTempSubdirectory("streams-chaos-").FullName;
        var report = options.Profile == ProfileCatalogue.Agent
            ? await AgentKills.RunAsync(directory, options, stop)
            : await RunAsync(directory, ProfileCatalogue.Of(options), options, stop);
        Verdict.Print(report);
        if (options.Json is { } file)
        {
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(report, Json) + "\n", stop);
        }

        if (report.Failures.Count > 0)
        {
            throw new BenchFailure($"{report.Failures[0]} ({report.Failures.Count} in all); seed {options.Seed}; data and logs are in {directory}");
        }

        if (!options.Keep)
        {
            Directory.Delete(directory, recursive: true);
        }

        return 0;
    }

    private static async Task<ChaosReport> RunAsync(string directory, Profile profile, ChaosOptions options, CancellationToken stop)
    {
        Console.WriteLine($"profile {options.Profile}, seed {options.Seed}, {options.Rate:N0} events/s of {options.Sources} sources, {profile.Faults.Count} faults");
        foreach (var (fault, index) in profile.Faults.Select((fault, index) => (fault, index)))
        {
            Console.WriteLine($"{index + 1,4} {fault}");
        }

        using var disk = options.DiskMebibytes > 0 ? TemporaryDisk.Mount(Path.Combine(directory, "data"), options.DiskMebibytes) : null;
        Console.WriteLine($"starting in {directory}");
        await using var run = await ChaosRun.StartAsync(directory, options, profile, stop);
        foreach (var fault in profile.Faults)
        {
            await run.HappenAsync(fault, stop);
        }

        await (profile.Act?.Invoke(run, stop) ?? Task.CompletedTask);
        Console.WriteLine("draining");
        await run.DrainAsync(stop);
        await (profile.Assert?.Invoke(run, stop) ?? Task.CompletedTask);
        return await Verdict.OfAsync(run, options, stop);
    }

    private static int? InRange(string option, int? value, int min, int max) =>
        value is null || (value >= min && value <= max) ? value : throw new BenchFailure($"{option} {value}: expected {min} to {max}");
}
