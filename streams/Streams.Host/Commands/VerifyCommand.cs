using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Storage;
using Streams.Wire;

namespace Streams.Host.Commands;

/// <summary>
/// `streams verify AGENT`: whether the rows are those that the agent signed. What it says is as good as the key that it is given; the
/// bucket's is what the gateway lets in, --key is one that was kept elsewhere. What <see cref="Traceless"/> says it cannot find.
/// </summary>
internal static class VerifyCommand
{
    private static readonly JsonSerializerOptions JsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>What no verifier can see that reads the database alone.</summary>
    private const string Traceless = "whole lanes, and the first or last batches of one, whose rows, ledger rows and proofs are all gone leave no trace here and are not found";

    public static Command Create()
    {
        var agent = new Argument<string>("agent") { Description = "The agent." };
        var from = new Option<string?>("--from") { Description = "Rows received since then, UTC, for example 2026-11-26T09:00:00; an hour ago if not given." };
        var to = new Option<string?>("--to") { Description = "Rows received before then, UTC; now if not given." };
        var key = new Option<string[]>("--key") { Description = "Public key of the agent, base64url; may be repeated. The agent's identity is then not asked." };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var connection = new ConnectionOptions();
        var command = new Command("verify", "Compute the digests of an agent's rows again and check them against its signatures; ends with exit code 1 when rows are altered or missing. Whole lanes and ends of lanes that are gone with their ledger rows and proofs are not found.")
        {
            agent, from, to, key, json,
        };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            var id = parse.GetValue(agent)!;
            if (!AgentId.IsValid(id.TrimStart('_')))
            {
                throw new CommandFailure($"agent {id}: an agent id matches [a-z0-9][a-z0-9-]{{0,62}}", 2);
            }
            var until = Time("--to", parse.GetValue(to)) ?? DateTimeOffset.UtcNow;
            var since = Time("--from", parse.GetValue(from)) ?? until.AddHours(-1);
            if (since >= until)
            {
                throw new CommandFailure("--from must be before --to", 2);
            }
            using var client = new StorageClient(connection.Storage(parse));
            var keys = VerifyKeys.Of([], []);
            var verifier = new ProofVerifier(client, (checkpoint, signature) => keys.Verify(checkpoint, signature));
            keys = parse.GetValue(key) is { Length: > 0 } given
                ? VerifyKeys.Given([.. given.Select(text => VerifyKeys.Parse(text) ?? throw new CommandFailure($"--key {text}: expected 43 characters of base64url", 2))])
                : VerifyKeys.Of(await BucketAsync(id, connection, parse, stop), await verifier.FormerKeysAsync(id, stop));
            if (keys.IsEmpty)
            {
                throw new CommandFailure($"no key of {id} is known: name it with --key", 2);
            }
            var lanes = new List<LaneReport>();
            await foreach (var lane in verifier.VerifyAsync(id, since, until, stop))
            {
                lanes.Add(lane);
            }
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new { agent = id, from = since, to = until, keys = keys.Texts, keySource = keys.Source, rowKeysUsed = keys.RowsUsed, traceless = Traceless, lanes }, JsonOptions));
            }
            else
            {
                Print(id, since, until, lanes, keys);
            }
            return lanes.Any(lane => lane.Wrong > 0) ? 1 : 0;
        });
        return command;
    }

    /// <summary>The keys that the gateway lets in, where an instance is at hand.</summary>
    private static async Task<IReadOnlyList<string>> BucketAsync(string agent, ConnectionOptions connection, ParseResult parse, CancellationToken stop)
    {
        if (!connection.HasInstance(parse))
        {
            return [];
        }
        await using var identities = await Identities.OpenAsync(connection.Endpoints(parse), stop);
        return await identities.KeysAsync(agent, stop);
    }

    private static DateTimeOffset? Time(string option, string? text) => text is null ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
        : throw new CommandFailure($"{option} {text}: expected a time such as 2026-11-26T09:00:00", 2);

    private static void Print(string agent, DateTimeOffset since, DateTimeOffset until, List<LaneReport> lanes, VerifyKeys keys)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in new[] { "epoch/lane", "batches", "rows", "signed", "unsigned", "no proof", "lost", "state" })
        {
            table.AddColumn(new Spectre.Console.TableColumn(column).NoWrap().Padding(0, 1));
        }
        foreach (var lane in lanes)
        {
            table.AddRow(
                $"{lane.Epoch}/{lane.Lane}", $"{lane.FirstBatch}-{lane.LastBatch}", Grouped(lane.Rows), Grouped(lane.Signed), Grouped(lane.Unsigned),
                Grouped(lane.NoProof), Grouped(lane.Lost), lane.Wrong > 0 ? $"[red]{lane.State}[/]" : lane.State);
        }
        AnsiConsole.Write(table);
        foreach (var lane in lanes)
        {
            foreach (var finding in lane.Findings)
            {
                Console.WriteLine($"{finding.Kind}: {lane.Epoch}/{lane.Lane} batch {finding.Batch} {finding.Class}: {finding.Detail}");
            }
            if (lane.Wrong > lane.Findings.Count)
            {
                Console.WriteLine($"{lane.Epoch}/{lane.Lane}: {lane.Wrong - lane.Findings.Count} more");
            }
        }
        var wrong = lanes.Sum(lane => lane.Wrong);
        Console.WriteLine(lanes.Count == 0
            ? $"{agent} has no rows received from {since:yyyy-MM-dd HH:mm:ss}Z to {until:yyyy-MM-dd HH:mm:ss}Z"
            : wrong > 0 ? $"{Grouped(wrong)} batches or signatures are wrong"
            : Right(agent, lanes.Sum(lane => lane.Signed), lanes.Sum(lane => lane.Unsigned + lane.NoProof)));
        Console.WriteLine(Traceless);
        if (keys.Source == "rows")
        {
            Console.WriteLine("the keys are from rows of agent_identity only, which who writes rows can forge: run it where the instance is, or give --key");
        }
        else if (keys.RowsUsed)
        {
            Console.WriteLine($"some signatures fit only a key from rows of agent_identity, which who writes rows can forge: it has to be one that {agent} had before its key was changed");
        }
    }

    private static string Right(string agent, long signed, long unsigned) => signed == 0
        ? $"none of {Grouped(unsigned)} batches is signed: whether somebody altered them cannot be said"
        : $"{Grouped(signed)} batches are as {agent} signed them; nothing of them is altered or missing"
            + (unsigned > 0 ? $"; {Grouped(unsigned)} more are not signed, of which that cannot be said" : "");

    private static string Grouped(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
