using System.Text.Json.Nodes;

namespace Streams.Testing.JsonAgents;

/// <summary>An opened message of the gateway.</summary>
public sealed record JsonAgentMessage(string Id, string Type, string Channel, JsonNode Content);
