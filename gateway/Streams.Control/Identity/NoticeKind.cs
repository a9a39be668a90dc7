using System.Text.Json.Serialization;

namespace Streams.Control.Identity;

/// <summary>What a <see cref="RegistryNotice"/> tells.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NoticeKind>))]
public enum NoticeKind
{
    /// <summary>A session began under the new key of a rotation: the old one ends.</summary>
    [JsonStringEnumMemberName("new_key_used")]
    NewKeyUsed,

    /// <summary>A session looked like that of a copy of the agent.</summary>
    [JsonStringEnumMemberName("clone")]
    Clone,
}
