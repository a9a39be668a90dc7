using System.Buffers.Text;
using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Spectre.Console;
using Streams.Control.Identity;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Queue;
using Streams.Wire;

namespace Streams.Host.Commands;

/// <summary>`streams enroll`: tokens by which hosts become agents.</summary>
internal static class EnrolCommand
{
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(366);

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Data directory.", DefaultValueFactory = _ => DataDirectory.Default };
        return new Command("enroll", "Tokens by which hosts become agents.") { CreateToken(data), ListTokens(data), RevokeToken(data) };
    }

    private static Command CreateToken(Option<string> data)
    {
        var agent = new Option<string?>("--agent") { Description = "Id of the one agent that it lets in." };
        var prefix = new Option<string?>("--prefix") { Description = "For images that scale out: agents are PREFIX-DIGITS." };
        var uses = new Option<int>("--uses") { Description = $"With --prefix: how many hosts, 1 to {IdentityLimits.MaxUses}.", DefaultValueFactory = _ => 1 };
        var ttl = new Option<string>("--ttl") { Description = "How long it is good: 30m, 24h, 7d.", DefaultValueFactory = _ => "1h" };
        var network = new Option<string[]>("--network") { Description = "CIDR that the host's address must be in; may be given again." };
        var replace = new Option<bool>("--replace") { Description = "With --agent: take the id over from the key that has it, or from a revoked agent." };
        var command = new Command("create", "Make a token and print it, once.") { agent, prefix, uses, ttl, network, replace, data };
        command.SetAction(async (parse, stop) =>
        {
            var (id, start) = (parse.GetValue(agent) ?? "", parse.GetValue(prefix) ?? "");
            Check(id, start, parse.GetValue(uses), parse.GetValue(replace));
            var networks = parse.GetValue(network) ?? [];
            if (networks.FirstOrDefault(text => !IPNetwork.TryParse(text, out _)) is { } wrong || networks.Length > IdentityLimits.MaxNetworks)
            {
                throw new CommandFailure($"--network: expected at most {IdentityLimits.MaxNetworks} networks, as 10.1.0.0/16 or 2001:db8::/32", 2);
            }
            var life = Life(parse.GetValue(ttl)!);
            var keys = KeysCommand.Open(parse.GetValue(data)!);
            await using var identities = await Identities.OpenAsync(Endpoints.Read(parse.GetValue(data)!), stop);
            var token = EnrolmentToken.Create(keys.Root);
            using var key = token.DeriveKey();
            var now = DateTimeOffset.UtcNow;
            var record = new EnrolmentRecord(
                Base64Url.EncodeToString(key.PublicKey), id, start, start.Length > 0 ? parse.GetValue(uses) : 1, now + life, networks,
                new Dictionary<string, string>(), Identities.Actor, now, Replace: parse.GetValue(replace));
            if (!await identities.Tokens.TryWriteAsync(token.Id, record, 0, stop))
            {
                throw new CommandFailure("the token was not stored; try again");
            }
            // The token alone on standard output, so that a script can take it.
            Console.Error.WriteLine($"streams: good until {record.ExpiresAt:yyyy-MM-dd HH:mm 'UTC'}, shown only now; on the host: streams-agent enroll --gateway ADDRESS --token TOKEN");
            Console.WriteLine(token.Format());
            return 0;
        });
        return command;
    }

    private static Command ListTokens(Option<string> data)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("list", "List the tokens, without their secrets.") { json, data };
        command.SetAction(async (parse, stop) =>
        {
            await using var identities = await Identities.OpenAsync(Endpoints.Read(parse.GetValue(data)!), stop);
            var now = DateTimeOffset.UtcNow;
            var tokens = (await identities.TokensAsync(stop)).OrderBy(token => token.Value.CreatedAt)
                .Select(token => new Token(
                    token.Key, State(token.Value, now), token.Value.AgentId.Length > 0 ? token.Value.AgentId : token.Value.Prefix + "-*", token.Value.Uses,
                    token.Value.MaxUses, token.Value.ExpiresAt, token.Value.Networks, token.Value.CreatedBy)).ToList();
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    tokens, new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true }));
                return 0;
            }
            Print(tokens);
            return 0;
        });
        return command;
    }

    private static Command RevokeToken(Option<string> data)
    {
        var token = new Argument<string>("token") { Description = "The token's id, its first part." };
        var command = new Command("revoke", "Make a token good for nobody; agents that it let in stay.") { token, data };
        command.SetAction(async (parse, stop) =>
        {
            // Whoever has the whole token at hand may give that: only the id is used.
            var id = parse.GetValue(token)!.Split('.')[0];
            await using var identities = await Identities.OpenAsync(Endpoints.Read(parse.GetValue(data)!), stop);
            while (true)
            {
                var entry = EnrolmentToken.IsId(id) ? await identities.Tokens.GetAsync(id, stop) : null;
                if (entry is not { } found)
                {
                    throw new CommandFailure($"token {id}: there is none; `streams enroll list` lists them");
                }
                if (await identities.Tokens.TryWriteAsync(id, found.Value with { Revoked = true }, found.Revision, stop))
                {
                    Console.WriteLine($"{id}: revoked; {found.Value.Uses} agents that it let in stay");
                    return 0;
                }
            }
        });
        return command;
    }

    private static void Check(string agent, string prefix, int uses, bool replace)
    {
        if ((agent.Length > 0) == (prefix.Length > 0))
        {
            throw new CommandFailure("give --agent ID for one host, or --prefix PREFIX for several", 2);
        }
        if (agent.Length > 0 ? !AgentId.IsValid(agent) : !AgentId.IsValid(prefix) || prefix.Length > IdentityLimits.MaxPrefixLength)
        {
            throw new CommandFailure(
                $"agent {agent}{prefix}: an id matches [a-z0-9][a-z0-9-]{{0,62}}, a prefix has at most {IdentityLimits.MaxPrefixLength} characters", 2);
        }
        if (uses is < 1 or > IdentityLimits.MaxUses || (agent.Length > 0 && uses != 1))
        {
            throw new CommandFailure($"--uses {uses}: expected 1 to {IdentityLimits.MaxUses}, and 1 with --agent", 2);
        }
        if (replace && agent.Length == 0)
        {
            throw new CommandFailure("--replace goes with --agent", 2);
        }
    }

    private static TimeSpan Life(string text)
    {
        var unit = text.Length > 1 ? text[^1] switch { 'm' => TimeSpan.FromMinutes(1), 'h' => TimeSpan.FromHours(1), 'd' => TimeSpan.FromDays(1), _ => TimeSpan.Zero } : TimeSpan.Zero;
        return unit > TimeSpan.Zero && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            && number <= LongestLife / unit ? unit * number : throw new CommandFailure($"--ttl {text}: expected 1m to 366d, as 30m, 24h or 7d", 2);
    }

    private static string State(EnrolmentRecord token, DateTimeOffset now) => token.Revoked ? "revoked"
        : token.ExpiresAt <= now ? "expired" : token.Uses >= token.MaxUses ? "used" : "good";

    private static void Print(IReadOnlyList<Token> tokens)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in new[] { "token", "state", "agent", "used", "until", "networks", "made by" })
        {
            table.AddColumn(column);
        }
        foreach (var token in tokens)
        {
            table.AddRow(
                token.Id, token.State, token.Agent, $"{token.Uses} of {token.MaxUses}", token.ExpiresAt.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture),
                token.Networks.Count == 0 ? "any" : string.Join(", ", token.Networks), Markup.Escape(token.CreatedBy));
        }
        AnsiConsole.Write(table);
    }

    private sealed record Token(
        string Id, string State, string Agent, int Uses, int MaxUses, DateTimeOffset ExpiresAt, IReadOnlyList<string> Networks, string CreatedBy);
}
