using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Streams.Control.Operators;
using Streams.Services.Audit;
using Streams.Services.Operators;

namespace Streams.Services.Http;

/// <summary>
/// Lets requests of the operator's HTTP through by token and role, and writes answers. A refusal says only that: which of unknown, wrong,
/// expired and revoked it was is in the audit.
/// </summary>
public sealed class OperatorGate(OperatorTokens tokens, AuditLog audit)
{
    /// <summary>A request body. The largest order, of 256 agents and all arguments, is 40 KB.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    private const string Scheme = "Bearer ";
    private const long RefusalInterval = 60_000;

    // Bounded by the tokens that there are.
    private readonly ConcurrentDictionary<string, long> _refusals = new(StringComparer.Ordinal);

    /// <summary>Runs the action when the token is valid and its role is enough.</summary>
    public Task RunAsync(HttpContext context, OperatorRole needed, string action, Func<OperatorIdentity, Task> run)
    {
        var verdict = tokens.Check(Token(context), out var identity);
        if (verdict != TokenVerdict.Valid)
        {
            // Strangers leave no rows: they could write as many as they like.
            if (identity is not null)
            {
                AuditRefusal(context, identity, action, JsonNamingPolicy.SnakeCaseLower.ConvertName($"Token{verdict}"));
            }

            context.Response.Headers.WWWAuthenticate = "Bearer";
            return RefuseAsync(context, StatusCodes.Status401Unauthorized, "unauthorized", "a valid token is needed: Authorization: Bearer TOKEN");
        }

        if (identity!.Role < needed)
        {
            AuditRefusal(context, identity, action, "forbidden");
            return RefuseAsync(
                context, StatusCodes.Status403Forbidden, "forbidden",
                $"the role {OperatorIdentity.NameOf(needed)} is needed, this token has {identity.RoleName}");
        }

        return run(identity);
    }

    public bool Knows(HttpContext context) => tokens.Check(Token(context), out _) == TokenVerdict.Valid;

    public void Audit(HttpContext context, OperatorIdentity identity, string action, string target, string outcome, string detail = "") =>
        audit.Write(new AuditEntry(identity.Name, identity.RoleName, action, target, outcome, Source(context), detail));

    /// <summary>Once a minute for a token, action and outcome: who is refused must not crowd out what others did.</summary>
    private void AuditRefusal(HttpContext context, OperatorIdentity identity, string action, string outcome)
    {
        var now = Environment.TickCount64;
        var key = $"{identity.TokenId} {action} {outcome}";
        if (!_refusals.TryGetValue(key, out var last) || now - last > RefusalInterval)
        {
            _refusals[key] = now;
            Audit(context, identity, action, "", outcome);
        }
    }

    public static bool IsLoopback(HttpContext context) => Source(context) is { } source && IPAddress.IsLoopback(source);

    /// <summary>The body, or null: it was refused, and that was answered.</summary>
    public static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        // Kestrel's own bound is for all of this server; an order is smaller.
        if (context.Request.ContentLength > MaxBodyBytes)
        {
            await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, "too_large", $"body: at most {MaxBodyBytes} bytes", "body").ConfigureAwait(false);
            return null;
        }

        var body = new byte[MaxBodyBytes + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, context.RequestAborted).ConfigureAwait(false);
        if (length > MaxBodyBytes)
        {
            await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, "too_large", $"body: at most {MaxBodyBytes} bytes", "body").ConfigureAwait(false);
            return null;
        }

        if (RequestBody.TryRead(body.AsSpan(0, length), type, out var value, out var error))
        {
            return value;
        }

        await AnswerAsync(context, StatusCodes.Status400BadRequest, error!, ApiJson.Default.ErrorAnswer).ConfigureAwait(false);
        return null;
    }

    public static Task AnswerAsync<T>(HttpContext context, int status, T value, JsonTypeInfo<T> type)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(value, type), context.RequestAborted).AsTask();
    }

    public static Task RefuseAsync(HttpContext context, int status, string code, string message, string? field = null) =>
        AnswerAsync(context, status, new ErrorAnswer(code, message, field), ApiJson.Default.ErrorAnswer);

    private static string? Token(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;
    }

    private static IPAddress? Source(HttpContext context) =>
        context.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : context.Connection.RemoteIpAddress;
}
