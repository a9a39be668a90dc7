using System.Buffers.Text;
using Streams.Agent.Configuration;
using Streams.Wire.Handshake;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>Who the agent is and whom it trusts: the key file and the pinned roots of the configuration.</summary>
internal static class AgentIdentityFile
{
    /// <summary>Reads the agent's key. The caller disposes the identity.</summary>
    /// <exception cref="AgentException">The file is not there, others may read it, or it is not an agent's key.</exception>
    public static AgentIdentity Read(AgentConfiguration configuration) =>
        new(configuration.AgentId, new AgentKeyFiles(configuration.Resolve(configuration.KeyFile)).Read());

    /// <summary>The pinned roots. The configuration has been validated.</summary>
    public static FleetRoots Roots(AgentConfiguration configuration)
    {
        var keys = new byte[configuration.FleetRoots.Count][];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = Base64Url.DecodeFromChars(configuration.FleetRoots[i]);
        return new FleetRoots(keys);
    }
}
