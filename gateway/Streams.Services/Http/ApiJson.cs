using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streams.Services.Http;

/// <summary>Documents of the operator's HTTP: snake_case, unknown and repeated fields refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = 16)]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(CommandBody))]
[JsonSerializable(typeof(CommandAnswer))]
[JsonSerializable(typeof(AgentsAnswer))]
[JsonSerializable(typeof(TokenBody))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(TokensAnswer))]
public sealed partial class ApiJson : JsonSerializerContext;

/// <summary>Every answer that is not 2xx.</summary>
/// <param name="Code">One word of a closed list.</param>
/// <param name="Message">One line that names field and bound.</param>
/// <param name="Field">The field that is to blame.</param>
public sealed record ErrorAnswer(string Code, string Message, string? Field = null);

/// <summary>POST /api/v1/commands.</summary>
public sealed record CommandBody(
    string Kind, IReadOnlyList<string> Agents, int? DeadlineSeconds = null, IReadOnlyDictionary<string, string>? Arguments = null);

/// <summary>A command as it stands.</summary>
/// <param name="Deadline">Until when it may begin.</param>
public sealed record CommandAnswer(
    string Id, string Kind, string Actor, DateTimeOffset CreatedAt, DateTimeOffset Deadline, bool Ended, IReadOnlyList<CommandAgentAnswer> Agents);

/// <summary>Where a command stands for one agent.</summary>
public sealed record CommandAgentAnswer(string Agent, string State, DateTimeOffset ChangedAt, string? Detail = null, JsonElement? Result = null);

/// <summary>GET /api/v1/agents.</summary>
public sealed record AgentsAnswer(IReadOnlyList<AgentAnswer> Agents);

/// <summary>An agent that may connect.</summary>
/// <param name="LastSession">Its newest session, which may be over.</param>
/// <param name="CommandsWaiting">Commands that have not ended.</param>
public sealed record AgentAnswer(string Agent, string Host, string State, int CommandsWaiting, SessionAnswer? LastSession = null);

/// <summary>A session of an agent.</summary>
public sealed record SessionAnswer(string Gateway, DateTimeOffset ConnectedAt, string Address, ulong Generation);

/// <summary>POST /api/v1/tokens.</summary>
public sealed record TokenBody(string Name, string Role, long? ExpiresInSeconds = null);

/// <summary>A token. <paramref name="Token"/> is its secret, in the answer to its making and in no other.</summary>
public sealed record TokenAnswer(
    string Id, string Name, string Role, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, bool Revoked, string? Token = null);

/// <summary>GET /api/v1/tokens.</summary>
public sealed record TokensAnswer(IReadOnlyList<TokenAnswer> Tokens);
