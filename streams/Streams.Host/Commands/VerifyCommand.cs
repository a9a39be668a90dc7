using System.Buffers.Text;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Storage;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Proof;

namespace Streams.Host.Commands;

/// <summary>
/// `streams verify AGENT`: whether the rows are those that the agent signed. What it says is as good as the key that it is given; the
/// bucket's is what the gateway lets in, --key is one that was kept elsewhere.
/// </summary>
internal static class VerifyCommand
{
    private static readonly JsonSerializerOptions JsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create()
    {
        var agent = new Argument<string>("agent") { Description = "The agent." };
        var from = new Option<string?>("--from") { Description = "Rows received since then, UTC, for example 2026-11-26T09:00:00; an hour ago if not given." };
        var to = new Option<string?>("--to") { Description = "Rows received before then, UTC; now if not given." };
        var key = new Option<string[]>("--key") { Description = "Public key of the agent, base64url; may be repeated. The agent's identity is then not asked." };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var connection = new ConnectionOptions();
        var command = new Command("verify", "Compute the digests of an agent's rows again and check them against its signatures; ends with exit code 1 when rows are altered or missing.")
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
            var keys = new List<byte[]>();
            var verifier = new ProofVerifier(client, (checkpoint, signature) => Verify(keys, checkpoint, signature));
            keys.AddRange(parse.GetValue(key) is { Length: > 0 } given
                ? given.Select(text => Key(text) ?? throw new CommandFailure($"--key {text}: expected 43 characters of base64url", 2))
                : await KeysAsync(id, connection, parse, verifier, stop));
            if (keys.Count == 0)
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
                    new { agent = id, from = since, to = until, keys = keys.Select(bytes => Base64Url.EncodeToString(bytes)), lanes }, JsonOptions));
            }
            else
            {
                Print(id, since, until, lanes);
            }
            return lanes.Any(lane => lane.Wrong > 0) ? 1 : 0;
        });
        return command;
    }

    private static bool Verify(List<byte[]> keys, ReadOnlySpan<byte> checkpoint, ReadOnlySpan<byte> signature)
    {
        foreach (var key in keys)
        {
            if (BatchProofSignature.Verify(key, checkpoint, signature))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The key that the gateway lets in, where an instance is at hand, and those of the agent's identity rows.</summary>
    private static async Task<IEnumerable<byte[]>> KeysAsync(
        string agent, ConnectionOptions connection, ParseResult parse, ProofVerifier verifier, CancellationToken stop)
    {
        var texts = await verifier.FormerKeysAsync(agent, stop);
        if (connection.HasInstance(parse))
        {
            await using var identities = await Identities.OpenAsync(connection.Endpoints(parse), stop);
            texts.AddRange(await identities.KeysAsync(agent, stop));
        }
        return texts.Distinct().Select(Key).OfType<byte[]>();
    }

    private static byte[]? Key(string text)
    {
        Span<byte> bytes = stackalloc byte[SigningKey.PublicKeySize];
        return text.Length == 43 && Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, bytes, out var written) && written == bytes.Length ? bytes.ToArray() : null;
    }

    private static DateTimeOffset? Time(string option, string? text) => text is null ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
        : throw new CommandFailure($"{option} {text}: expected a time such as 2026-11-26T09:00:00", 2);

    private static void Print(string agent, DateTimeOffset since, DateTimeOffset until, List<LaneReport> lanes)
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
            : $"{Grouped(lanes.Sum(lane => lane.Signed))} batches are as {agent} signed them; nothing is altered or missing");
    }

    private static string Grouped(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
