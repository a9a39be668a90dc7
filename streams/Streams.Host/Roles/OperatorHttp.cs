using System.Text.Json;
using System.Text.Json.Serialization;
using Streams.Gateway;
using Streams.Services;
using Streams.Services.Http;
using Streams.Worker;

namespace Streams.Host.Roles;

/// <summary>
/// Operator HTTP: <c>/healthz</c> (200 when rows can flow, else 503, with the reasons), open; <c>/metrics</c> (Prometheus text), open on
/// loopback; the services' <c>/api/v1</c>, by token.
/// </summary>
internal static class OperatorHttp
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <param name="gateway">Null when the process has no such role; gives null before it has started. So the others.</param>
    /// <param name="mayLook">Who may see the metrics: this machine, and holders of a token where there is the role that knows them.</param>
    public static void Map(
        WebApplication app, Func<GatewayHealth?>? gateway, Func<WorkerHealth?>? worker, Func<ServicesHealth?>? services, Func<HttpContext, bool> mayLook)
    {
        // Names of agents and sizes of queues are not for everybody; whether all is well, is.
        app.Use((context, next) => !context.Request.Path.StartsWithSegments("/metrics", StringComparison.Ordinal) || mayLook(context)
            ? next(context)
            : OperatorGate.RefuseAsync(context, StatusCodes.Status401Unauthorized, "unauthorized", "metrics are open on loopback; from elsewhere a token is needed"));
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapGet("/healthz", context =>
        {
            var gatewayHealth = gateway is null ? null : gateway() ?? GatewayHealth.Of(["starting"], 0);
            var workerHealth = worker?.Invoke();
            var servicesHealth = services?.Invoke();
            var healthy = gatewayHealth is null or { HttpStatus: 200 }
                && (worker is null || workerHealth is { Healthy: true })
                && (services is null || servicesHealth is { Healthy: true });
            context.Response.StatusCode = healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            context.Response.ContentType = "application/json";
            return context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(
                new Answer(
                    healthy ? "ok" : "degraded",
                    gatewayHealth,
                    worker is null ? null : workerHealth?.Detail ?? "starting",
                    services is null ? null : servicesHealth?.Detail ?? "starting"),
                Json)).AsTask();
        });
    }

    /// <summary>A role that the process does not have is not named.</summary>
    private sealed record Answer(string Status, GatewayHealth? Gateway, string? Worker, string? Services);
}
