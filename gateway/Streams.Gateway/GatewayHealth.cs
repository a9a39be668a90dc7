using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streams.Gateway;

/// <summary>What <c>/healthz</c> answers.</summary>
/// <param name="Status"><c>ok</c> or <c>degraded</c>.</param>
/// <param name="Reasons">Closed list of words, empty when ok: starting, draining, queue_away, credit_held:REASON, graph_down:NAME,
/// partition_full:P, partition_refused:P.</param>
/// <param name="Sessions">Sessions now.</param>
public sealed record GatewayHealth(string Status, IReadOnlyList<string> Reasons, int Sessions)
{
    /// <summary>HTTP status: 200 when ok, 503 when degraded.</summary>
    [JsonIgnore]
    public int HttpStatus => Reasons.Count == 0 ? 200 : 503;

    public static GatewayHealth Of(IReadOnlyList<string> reasons, int sessions) =>
        new(reasons.Count == 0 ? "ok" : "degraded", reasons, sessions);

    /// <summary>The body, UTF-8.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, GatewayHealthJson.Default.GatewayHealth);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GatewayHealth))]
internal sealed partial class GatewayHealthJson : JsonSerializerContext;
