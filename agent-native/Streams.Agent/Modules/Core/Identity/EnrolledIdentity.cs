using System.Text.Json;
using System.Text.Json.Serialization;
using Streams.Agent.Configuration;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>What an enrolment brought, in STATE/identity.json. The configuration wins where it says something itself.</summary>
/// <param name="AgentId">Who this agent is.</param>
/// <param name="PublicKey">The key that was let in, base64url; a key that was rotated since is another.</param>
/// <param name="FleetRoots">The root of the token.</param>
/// <param name="Token">The token's id.</param>
internal sealed record EnrolledIdentity(string AgentId, string PublicKey, IReadOnlyList<string> FleetRoots, string Token)
{
    private const string Name = "identity.json";
    private const int MaxBytes = 4096;

    /// <summary>Null when this agent has not enrolled.</summary>
    /// <exception cref="AgentException">The file is damaged.</exception>
    public static EnrolledIdentity? TryRead(string stateDirectory)
    {
        var path = Path.Combine(stateDirectory, Name);
        if (DurableFile.TryRead(path, MaxBytes) is not { } content)
            return null;
        try
        {
            if (JsonSerializer.Deserialize(content, EnrolledIdentityJson.Default.EnrolledIdentity) is { } identity
                && Wire.AgentId.IsValid(identity.AgentId) && identity.FleetRoots.Count is > 0 and <= Wire.Handshake.FleetRoots.MaxRoots
                && identity.FleetRoots.All(root => SettingRules.PublicKey(root) is null))
                return identity;
        }
        catch (JsonException)
        {
            // Same as one that breaks a bound.
        }

        throw new AgentException($"{path} is damaged; remove it and enrol again with a token that replaces this agent");
    }

    public void Write(string stateDirectory) => DurableFile.Write(
        Path.Combine(stateDirectory, Name), JsonSerializer.SerializeToUtf8Bytes(this, EnrolledIdentityJson.Default.EnrolledIdentity));

    /// <summary>Fills in what the configuration leaves open.</summary>
    public static void Complete(AgentConfiguration configuration)
    {
        if ((configuration.AgentId.Length > 0 && configuration.FleetRoots.Count > 0)
            || TryRead(configuration.Resolve(configuration.StateDirectory)) is not { } identity)
            return;
        configuration.AgentId = configuration.AgentId.Length > 0 ? configuration.AgentId : identity.AgentId;
        configuration.FleetRoots = configuration.FleetRoots.Count > 0 ? configuration.FleetRoots : identity.FleetRoots;
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(EnrolledIdentity))]
internal sealed partial class EnrolledIdentityJson : JsonSerializerContext;
