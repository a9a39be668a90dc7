using System.Text.Json.Serialization;

namespace Streams.Control.Identity;

/// <summary>
/// Why the Registry said no. Told to the peer, who is then nobody or an agent that is let in: so whether a token exists is not told, and
/// more than that only to who knows its secret.
/// </summary>
[JsonConverter(typeof(JsonStringEnumConverter<RegistryRefusal>))]
public enum RegistryRefusal
{
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>A field is missing, too long or not what it should be.</summary>
    [JsonStringEnumMemberName("malformed")]
    Malformed,

    /// <summary>No token of this id and secret.</summary>
    [JsonStringEnumMemberName("unknown_token")]
    UnknownToken,

    [JsonStringEnumMemberName("token_expired")]
    TokenExpired,

    [JsonStringEnumMemberName("token_revoked")]
    TokenRevoked,

    /// <summary>Other keys have used it as often as it may be used.</summary>
    [JsonStringEnumMemberName("token_used")]
    TokenUsed,

    /// <summary>The address that the gateway saw is in none of the token's networks.</summary>
    [JsonStringEnumMemberName("wrong_network")]
    WrongNetwork,

    /// <summary>Another key has the token's agent id, and the token is not one that replaces.</summary>
    [JsonStringEnumMemberName("agent_exists")]
    AgentExists,

    /// <summary>A key of small order, or not one in its one encoding.</summary>
    [JsonStringEnumMemberName("bad_key")]
    BadKey,

    /// <summary>Rotation: not signed by both keys.</summary>
    [JsonStringEnumMemberName("bad_signature")]
    BadSignature,

    /// <summary>Rotation: the agent is not let in, or with another key.</summary>
    [JsonStringEnumMemberName("unknown_agent")]
    UnknownAgent,

    /// <summary>The agent was revoked: the operator has to let it in again.</summary>
    [JsonStringEnumMemberName("agent_revoked")]
    AgentRevoked,

    /// <summary>Rotation: there may be two of the agent, and neither may take its name for good; the operator has to look first.</summary>
    [JsonStringEnumMemberName("agent_quarantined")]
    AgentQuarantined,

    /// <summary>The store did not answer; ask again.</summary>
    [JsonStringEnumMemberName("unavailable")]
    Unavailable,
}
