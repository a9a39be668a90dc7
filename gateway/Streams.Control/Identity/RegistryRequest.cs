using System.Text.Json.Serialization;

namespace Streams.Control.Identity;

/// <summary>The document of a request on <c>agent.registry</c>: exactly one of its fields. <c>enroll</c> in a session of mode enrol and nothing else there.</summary>
public sealed record RegistryRequest(EnrolRequest? Enroll = null, RotateRequest? Rotate = null)
{
    [JsonIgnore]
    public bool IsValid => (Enroll is null) != (Rotate is null);
}
