using System.Text.Json.Serialization;

namespace Streams.Control.Operators;

/// <summary>What a token permits; each includes those before it.</summary>
[JsonConverter(typeof(OperatorRoleConverter))]
public enum OperatorRole
{
    /// <summary>Looks: agents, commands and their answers.</summary>
    [JsonStringEnumMemberName("viewer")]
    Viewer = 1,

    /// <summary>Asks agents for something.</summary>
    [JsonStringEnumMemberName("operator")]
    Operator = 2,

    /// <summary>Everything.</summary>
    [JsonStringEnumMemberName("admin")]
    Admin = 3,
}
