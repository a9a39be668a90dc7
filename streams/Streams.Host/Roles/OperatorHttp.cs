using System.Text.Json;
using Streams.Gateway;
using Streams.Worker;

namespace Streams.Host.Roles;

/// <summary>
/// Operator HTTP: <c>/healthz</c> (200 when rows can flow, else 503, with the reasons) and <c>/metrics</c> (Prometheus text).
/// </summary>
internal static class OperatorHttp
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static void Map(WebApplication app, Func<GatewayHealth?> gateway, Func<WorkerHealth?> worker)
    {
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapGet("/healthz", context =>
        {
            var gatewayHealth = gateway();
            var workerHealth = worker();
            var healthy = gatewayHealth is { HttpStatus: 200 } && workerHealth is { Healthy: true };
            context.Response.StatusCode = healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            context.Response.ContentType = "application/json";
            return context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(
                new Answer(
                    healthy ? "ok" : "degraded",
                    gatewayHealth ?? GatewayHealth.Of(["starting"], 0),
                    workerHealth is null ? "starting" : workerHealth.Detail),
                Json)).AsTask();
        });
    }

    private sealed record Answer(string Status, GatewayHealth Gateway, string Worker);
}
