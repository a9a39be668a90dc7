using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Wire.Keys;

namespace Streams.Host.Up;

/// <summary>The local agent's identity and configuration: DATA/agent/agent.key and DATA/agent/agent.json.</summary>
internal sealed record AgentSetup(string AgentId, string KeyFile, string ConfigurationFile)
{
    public static AgentSetup Write(DataDirectory data, UpOptions options, FleetKeys keys, string gateway,
        IEnumerable<ulong> excludedCgroups)
    {
        var id = options.AgentId ?? IdOf(Environment.MachineName);
        if (!Wire.AgentId.IsValid(id))
        {
            throw new CommandFailure($"--agent-id {id}: an agent id matches [a-z0-9][a-z0-9-]{{0,62}}", 2);
        }
        var keyFile = Path.Combine(data.Agent, "agent.key");
        using (FleetKeys.OpenKey(keyFile, KeyFileKind.Agent))
        {
            // Made if there was none.
        }
        var configuration = new JsonObject
        {
            ["agent_id"] = id,
            ["key_file"] = keyFile,
            ["state_directory"] = data.Agent,
            ["gateway"] = gateway,
            ["fleet_roots"] = new JsonArray(Base64Url.EncodeToString(keys.Root)),
            ["observability"] = new JsonObject
            {
                ["exclude_cgroups"] = new JsonArray(
                    [.. excludedCgroups.Select(cgroup => JsonValue.Create(cgroup.ToString(CultureInfo.InvariantCulture)))]),
            },
        };
        var file = Path.Combine(data.Agent, "agent.json");
        SecretFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(configuration, new JsonSerializerOptions { WriteIndented = true }));
        return new AgentSetup(id, keyFile, file);
    }

    /// <summary>The agent's Ed25519 public key as it is now: the agent itself changes the file when it rotates its key.</summary>
    public byte[] ReadPublicKey()
    {
        using var key = FleetKeys.OpenKey(KeyFile, KeyFileKind.Agent);
        return key.PublicKey.ToArray();
    }

    /// <summary>A host name in the characters of an agent id.</summary>
    internal static string IdOf(string host)
    {
        var id = string.Concat(host.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return id.Length == 0 ? "local" : id[..Math.Min(id.Length, 63)];
    }
}
