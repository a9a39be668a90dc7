using System.Text.Json;
using System.Text.Json.Serialization;
using Streams.Gateway;
using Streams.Services;
using Streams.Worker;

namespace Streams.Host.Roles;

/// <summary>
/// Operator HTTP: <c>/healthz</c> (200 when rows can flow, else 503, with the reasons) and <c>/metrics</c> (Prometheus text).
/// </summary>
internal static class OperatorHttp
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <param name="gateway">Null when the process has no such role; gives null before it has started. So the others.</param>
    public static void Map(WebApplication app, Func<GatewayHealth?>? gateway, Func<WorkerHealth?>? worker, Func<ServicesHealth?>? services)
    {
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
