using System.Buffers.Text;
using System.Globalization;
using System.Net;
using Streams.AgentLink;
using Streams.AgentLink.Connect;
using Streams.Bench.Running;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Bench.Wire;

/// <summary>Identities that the gateway knows, and what their sessions share.</summary>
internal sealed class Swarm : IDisposable
{
    /// <summary>Of the agents' names.</summary>
    public const string Prefix = "wire";

    private Swarm(IPEndPoint gateway, AgentIdentity[] identities, AgentLinkOptions options)
    {
        Gateway = gateway;
        Identities = identities;
        Options = options;
        // Two slots a session and one a handshake.
        Arena = new KeyArena(3 * identities.Length);
        Epochs = [.. identities.Select(static _ => NewEpoch())];
        Counters = new ulong[identities.Length];
    }

    public IPEndPoint Gateway { get; }

    public AgentIdentity[] Identities { get; }

    public AgentLinkOptions Options { get; }

    public KeyArena Arena { get; }

    public UInt128[] Epochs { get; }

    public ulong[] Counters { get; }

    /// <summary>Makes keys for so many agents at an instance that runs, as its operator would.</summary>
    /// <param name="gateway">One of its gateways.</param>
    public static async Task<Swarm> CreateAsync(string data, Uri gateway, int count, CancellationToken stop)
    {
        var keys = Path.Combine(Path.GetDirectoryName(data)!, "agent-keys");
        await StreamsCommand.RunAsync(
            ["keys", "create-agents", Prefix, "--count", count.ToString(CultureInfo.InvariantCulture), "--key-directory", keys, "--data", data], stop);
        var identities = new AgentIdentity[count];
        for (var i = 0; i < count; i++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"{Prefix}-{i}");
            if (!KeyFileReader.TryRead(Path.Combine(keys, id + ".key"), KeyFileKind.Agent, out var key, out var error))
            {
                throw new BenchFailure(error!);
            }

            identities[i] = new AgentIdentity(id, key!);
        }

        var options = new AgentLinkOptions
        {
            Gateway = gateway,
            Roots = new FleetRoots(await FleetRootAsync(data, stop)),
            HostName = Prefix,
            AgentVersion = "bench",
        };
        return new Swarm(new IPEndPoint(IPAddress.Parse(gateway.Host), gateway.Port), identities, options);
    }

    public void Dispose()
    {
        foreach (var identity in Identities)
        {
            identity.Dispose();
        }

        Arena.Dispose();
    }

    /// <summary>The root that an agent would pin, as the operator reads it.</summary>
    public static async Task<byte[]> FleetRootAsync(string data, CancellationToken stop)
    {
        const string Label = "fleet root";
        var text = await StreamsCommand.RunAsync(["keys", "--data", data], stop);
        var line = text.Split('\n').First(static line => line.StartsWith(Label, StringComparison.Ordinal));
        return Base64Url.DecodeFromChars(line[Label.Length..].Trim());
    }

    private static UInt128 NewEpoch()
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes);
        bytes[0] |= 1;
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
