using System.Buffers.Text;
using System.Security.Cryptography;
using Streams.Agent.Configuration;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Agent.Modules.Core;

/// <summary>Who the agent is and whom it trusts: the key file and the pinned roots of the configuration.</summary>
internal static class AgentIdentityFile
{
    /// <summary>Reads the agent's key. The caller disposes the identity.</summary>
    /// <exception cref="AgentException">The file is not there, others may read it, or it is not an agent's key.</exception>
    public static AgentIdentity Read(AgentConfiguration configuration)
    {
        var path = configuration.Resolve(configuration.KeyFile);
        var content = new byte[KeyFile.MaxBytes + 1];
        try
        {
            if (KeyFile.CheckMode(path, File.GetUnixFileMode(path)) is { } open)
                throw new AgentException(open);
            int length;
            using (var handle = File.OpenHandle(path))
                length = RandomAccess.Read(handle, content, 0);
            if (!KeyFile.TryParse(path, content.AsSpan(0, length), KeyFileKind.Agent, out var key, out var error))
                throw new AgentException($"{error}; give the agent its own key file with key_file or --key-file");
            return new AgentIdentity(configuration.AgentId, key!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var why = e is FileNotFoundException or DirectoryNotFoundException ? "does not exist" : "cannot be read";
            throw new AgentException($"key file {path} {why}; `streams keys agent` makes one, name it with key_file or --key-file");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>The pinned roots. The configuration has been validated.</summary>
    public static FleetRoots Roots(AgentConfiguration configuration)
    {
        var keys = new byte[configuration.FleetRoots.Count][];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = Base64Url.DecodeFromChars(configuration.FleetRoots[i]);
        return new FleetRoots(keys);
    }
}
