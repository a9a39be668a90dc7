namespace Streams.Agent.Configuration;

/// <summary>
/// Everything the agent can be told, with the defaults. The values come from the file and the options and are
/// checked once by <see cref="ConfigurationValidator"/>; after that nothing changes them.
/// </summary>
/// <remarks>
/// To add a setting: 1. a property here, its default with the reason; 2. one line in <see cref="SettingTable"/> (name, bounds,
/// description); 3. regenerate docs/reference/agent-configuration.md (a test prints the difference); 4. a case in the validator's tests.
/// </remarks>
internal sealed class AgentConfiguration
{
    /// <summary>The file this configuration was read from, or "" when there was none. Relative paths start at its folder.</summary>
    public string Source { get; set; } = "";

    public string AgentId { get; set; } = "";

    /// <summary>Loopback and the gateway's default port: what `streams up` starts on the same machine.</summary>
    public string Gateway { get; set; } = "ws://127.0.0.1:8080/v1/agent";

    /// <summary>Gateways of one fleet, tried in random order in place of <see cref="Gateway"/>.</summary>
    public IReadOnlyList<string> Gateways { get; set; } = [];

    /// <summary>"", "environment", or http://[user:password@]host:port.</summary>
    public string Proxy { get; set; } = "";

    /// <summary>"" for the system's authorities.</summary>
    public string TlsAuthorityFile { get; set; } = "";

    public string KeyFile { get; set; } = "agent.key";

    /// <summary>Ed25519 public keys (base64url) of the offline roots that sign gateway certificates.</summary>
    public IReadOnlyList<string> FleetRoots { get; set; } = [];

    /// <summary>What the agent enrols with when it has no identity, for images; the environment's STREAMS_ENROLMENT_TOKEN when it is empty.</summary>
    public string Token { get; set; } = "";

    /// <summary>Not /run: the connect counter, by which gateways recognise clones, must outlive the boot.</summary>
    public string StateDirectory { get; set; } = "/var/lib/streams-agent";

    public string LogLevel { get; set; } = "info";

    /// <summary>1 GiB holds some 50 million exec rows at the measured 20.7 bytes a row: almost three hours at 5,000 events/s.</summary>
    public int SpoolMebibytes { get; set; } = 1024;

    /// <summary>2 MiB holds about 90,000 exec rows.</summary>
    public int RetentionBytes { get; set; } = 2 * 1024 * 1024;

    public bool TelemetryEnabled { get; set; } = true;

    /// <summary>The specification's frequency.</summary>
    public int TelemetryIntervalSeconds { get; set; } = 30;

    public bool ObservabilityEnabled { get; set; } = true;

    /// <summary>Every touched ring page is resident (twice: the data is mapped twice), so the ring is part of the 16 MB budget. 10 ms of 300,000 events/s.</summary>
    public int RingBytes { get; set; } = 512 * 1024;

    /// <summary>A 1,000-row exec batch compresses to about 20 KB: small enough for latency, large enough for zstd to find repeats.</summary>
    public int BatchRows { get; set; } = 1000;

    public int BatchBusyMilliseconds { get; set; } = 100;

    public int BatchQuietMilliseconds { get; set; } = 5000;

    /// <summary>The ledger's period (design: barriers every 10 s).</summary>
    public int BarrierSeconds { get; set; } = 10;

    /// <summary>The specification's bound for all modules together, of one CPU; at 80 % of it shedding begins.</summary>
    public int CpuPercent { get; set; } = 90;

    /// <summary>Cgroup paths or numeric ids whose network events are counted as filtered instead of emitted.</summary>
    public IReadOnlyList<string> ExcludeCgroups { get; set; } = [];

    public bool AnalysisEnabled { get; set; }

    public bool ThreatIntelEnabled { get; set; }

    public bool PolicyEnabled { get; set; }

    /// <summary>A path from the configuration, made absolute from the folder of the file that named it.</summary>
    public string Resolve(string path)
    {
        var folder = Source.Length == 0 ? Environment.CurrentDirectory : Path.GetDirectoryName(Path.GetFullPath(Source))!;
        return Path.GetFullPath(path, folder);
    }
}
