using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Streams.Control.Commands;
using Streams.Control.Operators;
using Streams.Queue;
using Streams.Services.Actions;
using Streams.Services.Operators;

namespace Streams.Services.Http;

/// <summary>The operator's HTTP under <c>/api/v1</c>.</summary>
public sealed class OperatorApi(OperatorGate gate, ActionsService actions, OperatorTokens tokens, AgentDirectory agents)
{
    private const int DefaultDeadlineSeconds = 300;
    private const long DefaultTokenSeconds = 90L * 86400;

    private int _acts;

    /// <summary>Maps the routes.</summary>
    /// <param name="routes">Of the operator's server.</param>
    /// <param name="ready">The API while the services run; null before and after.</param>
    public static void Map(IEndpointRouteBuilder routes, Func<OperatorApi?> ready)
    {
        routes.MapPost("/api/v1/commands", Use(static (api, context) => api.OrderAsync(context)));
        routes.MapGet("/api/v1/commands/{id}", Use(static (api, context) => api.ShowAsync(context)));
        routes.MapGet("/api/v1/agents", Use(static (api, context) => api.AgentsAsync(context)));
        routes.MapPost("/api/v1/tokens", Use(static (api, context) => api.CreateTokenAsync(context)));
        routes.MapGet("/api/v1/tokens", Use(static (api, context) => api.TokensAsync(context)));
        routes.MapDelete("/api/v1/tokens/{id}", Use(static (api, context) => api.RevokeTokenAsync(context)));

        RequestDelegate Use(Func<OperatorApi, HttpContext, Task> run) => async context =>
        {
            if (ready() is not { } api)
            {
                await OperatorGate.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "starting", "the services do not run yet, or no more").ConfigureAwait(false);
                return;
            }

            try
            {
                await run(api, context).ConfigureAwait(false);
            }
            catch (QueueException failure)
            {
                await OperatorGate.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "queue_away", failure.Message).ConfigureAwait(false);
            }
        };
    }

    /// <summary>Until no act is under way, or patience ends: a stop sends their rows with the rest.</summary>
    public async Task DrainAsync(TimeSpan patience)
    {
        var since = Environment.TickCount64;
        while (Volatile.Read(ref _acts) > 0 && Environment.TickCount64 - since < patience.TotalMilliseconds)
        {
            await Task.Delay(20).ConfigureAwait(false);
        }
    }

    /// <summary>Whether the request has a valid token, of whatever role.</summary>
    internal bool Knows(HttpContext context) => gate.Knows(context);

    private Task OrderAsync(HttpContext context) => gate.RunAsync(context, OperatorRole.Operator, "command.create", async who =>
    {
        if (await OperatorGate.ReadAsync(context, ApiJson.Default.CommandBody).ConfigureAwait(false) is not { } body)
        {
            return;
        }

        if (RequestBody.Check(body) is { } wrong)
        {
            await OperatorGate.AnswerAsync(context, StatusCodes.Status400BadRequest, wrong, ApiJson.Default.ErrorAnswer).ConfigureAwait(false);
            return;
        }

        var life = body.DeadlineSeconds ?? DefaultDeadlineSeconds;
        if (life < 1 || life > CommandLimits.MaxLife.TotalSeconds - 60)
        {
            await OperatorGate.RefuseAsync(
                context, StatusCodes.Status400BadRequest, "invalid", $"deadline_seconds: 1 to {CommandLimits.MaxLife.TotalSeconds - 60:0}", "deadline_seconds").ConfigureAwait(false);
            return;
        }

        var order = new CommandOrder(
            body.Kind, body.Agents, TimeSpan.FromSeconds(life), who.Name,
            [.. (body.Arguments ?? new Dictionary<string, string>()).Select(argument => new CommandArgument(argument.Key, argument.Value))]);
        var some = string.Join(' ', body.Agents.Take(8));
        var (command, problem) = await ActAsync(context, who, "command.create", some, async () =>
        {
            var taken = await actions.OrderAsync(order).ConfigureAwait(false);
            gate.Audit(
                context, who, "command.create", taken.Command?.Id ?? some, taken.Problem?.Code ?? "ok", $"{body.Kind} {string.Join(' ', body.Agents.Take(16))}");
            return taken;
        }).ConfigureAwait(false);
        await (problem is null
            ? OperatorGate.AnswerAsync(context, StatusCodes.Status202Accepted, Answer(command!), ApiJson.Default.CommandAnswer)
            : OperatorGate.RefuseAsync(context, StatusOf(problem), problem.Code, problem.Message, problem.Field)).ConfigureAwait(false);
    });

    private Task ShowAsync(HttpContext context) => gate.RunAsync(context, OperatorRole.Viewer, "command.show", async _ =>
    {
        var text = context.Request.RouteValues["id"] as string;
        if (CommandId.TryParse(text, out var id) && await actions.FindAsync(id, context.RequestAborted).ConfigureAwait(false) is { } command)
        {
            await OperatorGate.AnswerAsync(context, StatusCodes.Status200OK, Answer(command), ApiJson.Default.CommandAnswer).ConfigureAwait(false);
            return;
        }

        await OperatorGate.RefuseAsync(context, StatusCodes.Status404NotFound, "not_found", "id: no such command, or it ended more than a day ago", "id").ConfigureAwait(false);
    });

    private Task AgentsAsync(HttpContext context) => gate.RunAsync(context, OperatorRole.Viewer, "agent.list", _ =>
    {
        var waiting = actions.Waiting();
        return OperatorGate.AnswerAsync(
            context, StatusCodes.Status200OK, new AgentsAnswer([.. agents.List(agent => waiting.GetValueOrDefault(agent))]), ApiJson.Default.AgentsAnswer);
    });

    private Task CreateTokenAsync(HttpContext context) => gate.RunAsync(context, OperatorRole.Admin, "token.create", async who =>
    {
        if (await OperatorGate.ReadAsync(context, ApiJson.Default.TokenBody).ConfigureAwait(false) is not { } body)
        {
            return;
        }

        if (!Enum.TryParse<OperatorRole>(body.Role, ignoreCase: false, out var role) && !Enum.TryParse(body.Role, ignoreCase: true, out role)
            || OperatorIdentity.NameOf(role) != body.Role)
        {
            await OperatorGate.RefuseAsync(context, StatusCodes.Status400BadRequest, "invalid", "role: viewer, operator or admin", "role").ConfigureAwait(false);
            return;
        }

        try
        {
            var life = TimeSpan.FromSeconds(Math.Clamp(body.ExpiresInSeconds ?? DefaultTokenSeconds, -1, int.MaxValue));
            var (token, record) = await ActAsync(context, who, "token.create", "", async () =>
            {
                var made = await tokens.CreateAsync(body.Name, role, life).ConfigureAwait(false);
                gate.Audit(context, who, "token.create", made.Token.Id, "ok", $"{made.Record.Name} {made.Record.Role} until {made.Record.ExpiresAt:u}");
                return made;
            }).ConfigureAwait(false);
            await OperatorGate.AnswerAsync(
                context, StatusCodes.Status201Created, Answer(token.Id, record) with { Token = token.Reveal() }, ApiJson.Default.TokenAnswer).ConfigureAwait(false);
        }
        catch (ArgumentException error)
        {
            await OperatorGate.RefuseAsync(context, StatusCodes.Status400BadRequest, "invalid", error.Message, error.Message.Split(':', 2)[0]).ConfigureAwait(false);
        }
    });

    private Task TokensAsync(HttpContext context) => gate.RunAsync(context, OperatorRole.Admin, "token.list", _ => OperatorGate.AnswerAsync(
        context, StatusCodes.Status200OK, new TokensAnswer([.. tokens.List().Select(entry => Answer(entry.Key, entry.Value))]), ApiJson.Default.TokensAnswer));

    private Task RevokeTokenAsync(HttpContext context) => gate.RunAsync(context, OperatorRole.Admin, "token.revoke", async who =>
    {
        var id = context.Request.RouteValues["id"] as string ?? "";
        var done = await ActAsync(context, who, "token.revoke", id, async () =>
        {
            var found = OperatorToken.IsId(id) && await tokens.RevokeAsync(id).ConfigureAwait(false);
            gate.Audit(context, who, "token.revoke", id, found ? "ok" : "not_found");
            return found;
        }).ConfigureAwait(false);
        if (done)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await OperatorGate.RefuseAsync(context, StatusCodes.Status404NotFound, "not_found", "id: no such token", "id").ConfigureAwait(false);
    });

    /// <summary>
    /// Carries out what was accepted, and audits it. Who hangs up has ordered it all the same, so <paramref name="act"/> is not given the
    /// request's token; one that fails may have been done in part and has its row too.
    /// </summary>
    private async Task<T> ActAsync<T>(HttpContext context, OperatorIdentity who, string action, string target, Func<Task<T>> act)
    {
        Interlocked.Increment(ref _acts);
        try
        {
            return await act().ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            gate.Audit(context, who, action, target, failure is ArgumentException ? "invalid" : "failed", failure.Message);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _acts);
        }
    }

    private static int StatusOf(CommandProblem problem) => problem.Code switch
    {
        "unknown_agent" => StatusCodes.Status404NotFound,
        "too_many_waiting" => StatusCodes.Status429TooManyRequests,
        "queue_full" => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    };

    private static TokenAnswer Answer(string id, OperatorRecord record) =>
        new(id, record.Name, record.Role, record.CreatedAt, record.ExpiresAt, record.Revoked);

    private static CommandAnswer Answer(CommandView command) => new(
        command.Id, command.Kind, command.Actor, command.CreatedAt,
        DateTimeOffset.UnixEpoch.AddTicks((long)command.Deadline * TimeSpan.TicksPerMicrosecond),
        command.Agents.All(agent => agent.HasEnded),
        [.. command.Agents.Select(agent => new CommandAgentAnswer(
            agent.Agent, agent.State, agent.ChangedAt, agent.Detail.Length == 0 ? null : agent.Detail, Parse(agent.Result)))]);

    private static JsonElement? Parse(string result)
    {
        if (result.Length == 0)
        {
            return null;
        }

        using var document = JsonDocument.Parse(result);
        return document.RootElement.Clone();
    }
}
