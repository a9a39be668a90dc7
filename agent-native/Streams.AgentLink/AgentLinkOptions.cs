using System.Net;
using Streams.AgentLink.Connect;
using Streams.Wire;
using Streams.Wire.Handshake;

namespace Streams.AgentLink;

/// <summary>
/// Settings of one link. To add a setting: a property here with its default and the reason for it, a check in <see cref="Validate"/>,
/// a test of the check, and the name in the agent's table of settings.
/// </summary>
public sealed record AgentLinkOptions
{
    /// <summary>Where the gateway is: <c>ws://host:port</c>, or <c>wss</c> with <see cref="Tls"/>; path <see cref="Protocol.Path"/>. Frames
    /// are sealed whatever the scheme.</summary>
    public required Uri Gateway { get; init; }

    /// <summary>Other gateways of the same fleet: each round tries all of them, in random order.</summary>
    public IReadOnlyList<Uri> OtherGateways { get; init; } = [];

    /// <summary>For gateways with <c>wss</c>; null when this program cannot do TLS.</summary>
    public ITlsClient? Tls { get; init; }

    /// <summary>The HTTP proxy on the way, if any.</summary>
    public ProxyChoice Proxy { get; init; } = ProxyChoice.None;

    /// <summary>The address of this host to connect from; null lets the system choose. For hosts that are known by one of several.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>Pinned fleet roots.</summary>
    public required FleetRoots Roots { get; init; }

    /// <summary>The only gateway name to accept, or null for every gateway that a root has certified.</summary>
    public string? GatewayName { get; init; }

    /// <summary>Name of this host as it goes to the gateway.</summary>
    public required string HostName { get; init; }

    /// <summary>Version text of the program that uses the link.</summary>
    public required string AgentVersion { get; init; }

    /// <summary>A clock before this is known to be bad: certificate dates are then not checked, and an event says so. Looked at for every session,
    /// so they are checked again once the clock is set.</summary>
    public DateTimeOffset ClockFloor { get; init; } = Connect.ClockFloor.Default;

    /// <summary>The folder of the spool; null keeps batches in memory only, and they end with the process.</summary>
    public string? SpoolDirectory { get; init; }

    /// <summary>Bound of the spool. 1 GiB: at 20 bytes an event and 5,000 events/s almost three hours.</summary>
    public long SpoolBytes { get; init; } = 1L << 30;

    /// <summary>How long from its start the link keeps what earlier processes left, even when it is committed: so long <see
    /// cref="AgentLink.VisitSpooled"/> tells of it. 0 when nobody asks.</summary>
    public TimeSpan KeepLeftFor { get; init; }

    /// <summary>Make rows of batch_proof: a digest per batch, and the agent's signature over their chain every 64 batches of a lane or ten
    /// seconds. Off by default, because a library that sends rows for others has no key that could speak for them.</summary>
    public bool Proofs { get; init; }

    /// <summary>Memory for batches that are not committed, without a spool or while the disk refuses. 2 MiB: the agent has 16 MB for
    /// everything, and at 20 bytes an event this is 100,000 events.</summary>
    public int RetentionBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Largest frame to build. The protocol's own limit: more batches a frame mean fewer messages in the queue.</summary>
    public int MaxFrameBytes { get; init; } = Limits.MaxFrameBytes;

    /// <summary>TCP connect and HTTP upgrade. 10 s: three SYN retransmissions.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>M1 to F0. 5 s, as PROTOCOL.md demands of both sides.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(Limits.HandshakeSeconds);

    /// <summary>Upper bound of the first random wait before a reconnect.</summary>
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Upper bound of any random wait. 60 s: a fleet comes back within a minute of its gateway.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Null when every setting is in its range, otherwise one line that names the setting and the range.</summary>
    public string? Validate()
    {
        if (Check(Gateway) is { } wrong)
        {
            return wrong;
        }

        foreach (var gateway in OtherGateways)
        {
            if (Check(gateway) is { } other)
            {
                return other;
            }
        }

        if (GatewayName is not null && !AgentId.IsValid(GatewayName))
        {
            return $"gateway name: \"{GatewayName}\" must match [a-z0-9][a-z0-9-]{{0,62}}";
        }

        if (HostName.Length is 0 or > Limits.MaxHostNameBytes / 3 || AgentVersion.Length is 0 or > Limits.MaxVersionTextBytes / 3)
        {
            return $"host name: 1 to {Limits.MaxHostNameBytes / 3} characters; version: 1 to {Limits.MaxVersionTextBytes / 3}";
        }

        return Range("spool bytes", SpoolBytes, 16L << 20, 1L << 40)
            ?? Range("keep left (s)", KeepLeftFor.TotalSeconds, 0, 3600)
            ?? Range("retention bytes", RetentionBytes, 512 * 1024, 64 * 1024 * 1024)
            ?? Range("max frame bytes", MaxFrameBytes, Limits.MinGrantBytes, Limits.MaxFrameBytes)
            ?? Range("connect timeout (ms)", ConnectTimeout.TotalMilliseconds, 100, 60_000)
            ?? Range("handshake timeout (ms)", HandshakeTimeout.TotalMilliseconds, 100, 60_000)
            ?? Range("backoff base (ms)", BackoffBase.TotalMilliseconds, 10, 60_000)
            ?? Range("backoff max (ms)", BackoffMax.TotalMilliseconds, BackoffBase.TotalMilliseconds, 3_600_000);
    }

    private string? Check(Uri gateway) =>
        !gateway.IsAbsoluteUri || gateway.Scheme is not ("ws" or "wss") ? $"gateway: \"{gateway}\" must be ws://host:port or wss://host:port"
        : gateway.Scheme == "wss" && Tls is null ? $"gateway: \"{gateway}\" needs TLS, which this program has not got"
        : gateway.AbsolutePath is not ("/" or Protocol.Path) || gateway.Query.Length > 0 || gateway.UserInfo.Length > 0
            ? $"gateway: \"{gateway}\" may have no path, query or user"
        : null;

    private static string? Range(string name, double value, double min, double max) =>
        value >= min && value <= max ? null : $"{name}: {value} is out of range, must be {min} to {max}";
}
