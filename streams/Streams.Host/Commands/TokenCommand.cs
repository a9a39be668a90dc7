using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using Streams.Host.Terminal;
using Streams.Services.Http;

namespace Streams.Host.Commands;

/// <summary>`streams token`: tokens for the operator's HTTP. Needs one of the role admin, as `up` makes it.</summary>
internal static class TokenCommand
{
    private static readonly JsonSerializerOptions Json = new(ApiJson.Default.Options) { WriteIndented = true };

    public static Command Create() => new("token", "Make, list and revoke tokens for operator HTTP.") { CreateCreate(), CreateList(), CreateRevoke() };

    private static Command CreateCreate()
    {
        var name = new Argument<string>("name") { Description = "Whose token it is; the audit names it." };
        var role = new Option<string>("--role") { Description = "viewer, operator or admin.", DefaultValueFactory = _ => "viewer" };
        var days = new Option<int>("--days") { Description = "How long it is good.", DefaultValueFactory = _ => 90 };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var connection = new OperatorOptions();
        var command = new Command("create", "Make a token. It is shown once.") { name, role, days, json };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            using var client = connection.Open(parse);
            var token = await client.PostAsync(
                "api/v1/tokens", new TokenBody(parse.GetValue(name)!, parse.GetValue(role)!, parse.GetValue(days) * 86400L),
                ApiJson.Default.TokenBody, ApiJson.Default.TokenAnswer, stop);
            Console.WriteLine(parse.GetValue(json) ? JsonSerializer.Serialize(token, Json) : token.Token);
            return 0;
        });
        return command;
    }

    private static Command CreateList()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var connection = new OperatorOptions();
        var command = new Command("list", "List the tokens, without their secrets.") { json };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            using var client = connection.Open(parse);
            var answer = await client.GetAsync("api/v1/tokens", ApiJson.Default.TokensAnswer, stop);
            if (parse.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(answer, Json));
                return 0;
            }
            var table = new Table().Border(TableBorder.Simple).AddColumns("id", "name", "role", "created", "expires", "state");
            foreach (var token in answer.Tokens)
            {
                var state = token.Revoked ? "revoked" : token.ExpiresAt <= DateTimeOffset.UtcNow ? "expired" : "valid";
                table.AddRow(token.Id, Markup.Escape(token.Name), token.Role, $"{token.CreatedAt:yyyy-MM-dd}", $"{token.ExpiresAt:yyyy-MM-dd}", state);
            }
            AnsiConsole.Write(table);
            return 0;
        });
        return command;
    }

    private static Command CreateRevoke()
    {
        var id = new Argument<string>("id") { Description = "The token's id, as `streams token list` shows it." };
        var connection = new OperatorOptions();
        var command = new Command("revoke", "Make a token good for nothing, within a second.") { id };
        connection.AddTo(command);
        command.SetAction(async (parse, stop) =>
        {
            using var client = connection.Open(parse);
            await client.DeleteAsync($"api/v1/tokens/{Uri.EscapeDataString(parse.GetValue(id)!)}", stop);
            Console.WriteLine($"token {parse.GetValue(id)} is revoked");
            return 0;
        });
        return command;
    }
}
