namespace Streams.Agent.Configuration;

/// <summary>Every setting once, in the order of the reference page. Dotted names are nested objects in agent.json.</summary>
internal static class SettingTable
{
    /// <summary>EXCLUDED_CGROUPS of bpf/events.h, less the agent's own.</summary>
    public const int MaximumExcludedCgroups = 63;

    /// <summary>Two, so that a root can be replaced without touching hosts.</summary>
    public const int MaximumFleetRoots = 2;

    public const int MaximumGateways = 16;

    public static readonly Setting[] All =
    [
        new TextSetting("agent_id", "Name of this agent in every row it sends.", "[a-z0-9][a-z0-9-]{0,62}",
            static c => c.AgentId, static (c, v) => c.AgentId = v, SettingRules.AgentId),
        new TextSetting("gateway", "Address of the gateway.", "ws://HOST:PORT/v1/agent (streams-agent-tls: also wss)",
            static c => c.Gateway, static (c, v) => c.Gateway = v, SettingRules.Gateway),
        new TextSetting("key_file", "The agent's Ed25519 key: a file of kind \"streams-key-1 agent\", mode 0600.", "a path",
            static c => c.KeyFile, static (c, v) => c.KeyFile = v, SettingRules.FilePath),
        new ListSetting("fleet_roots", "Public keys of the offline roots that may sign gateway certificates.", "32 bytes in base64url", MaximumFleetRoots,
            static c => c.FleetRoots, static (c, v) => c.FleetRoots = v, SettingRules.PublicKey),
        new TokenSetting("token", "Enrolment token, for an agent that has no identity yet; else that of the environment, STREAMS_ENROLMENT_TOKEN. Printed as ***.",
            "empty or id.secret.root",
            static c => c.Token, static (c, v) => c.Token = v, SettingRules.Token),
        new TextSetting("state_directory", "Folder (mode 0700) for the spool, the connect counter, the status socket and the lock.",
            "a path",
            static c => c.StateDirectory, static (c, v) => c.StateDirectory = v, SettingRules.FilePath),
        new TextSetting("log_level", "Least severe lines that are written to standard error.", "debug, info, warn or error",
            static c => c.LogLevel, static (c, v) => c.LogLevel = v, SettingRules.Level),
        new IntegerSetting("spool.size_mib",
            "Bound of the spool in state_directory, in MiB; when the share of a class is full its oldest batches become counted losses.",
            32, 1_048_576, static c => c.SpoolMebibytes, static (c, v) => c.SpoolMebibytes = v),
        new IntegerSetting("link.retention_bytes",
            "Memory for batches while the disk refuses the spool; when full too, reading pauses and the kernel counts.",
            524_288, 2_097_152, static c => c.RetentionBytes, static (c, v) => c.RetentionBytes = v),
        new ListSetting("link.gateways", "Gateways of one fleet, in place of `gateway`: each round tries all of them, in random order.",
            "ws://HOST:PORT/v1/agent (streams-agent-tls: also wss)", MaximumGateways,
            static c => c.Gateways, static (c, v) => c.Gateways = v, SettingRules.Gateway),
        new SecretSetting("link.proxy", "HTTP proxy on the way to the gateways (CONNECT); environment: what HTTPS_PROXY and NO_PROXY say.",
            "empty, http://[USER:PASSWORD@]HOST:PORT or environment",
            static c => c.Proxy, static (c, v) => c.Proxy = v, SettingRules.Proxy),
        new TextSetting("link.tls_ca_file", "PEM certificates that servers of wss must be signed by, in place of the system's; read at every connection.",
            "empty or a path",
            static c => c.TlsAuthorityFile, static (c, v) => c.TlsAuthorityFile = v, SettingRules.OptionalFilePath),
        new BooleanSetting("telemetry.enabled", "Send host and module metrics.",
            static c => c.TelemetryEnabled, static (c, v) => c.TelemetryEnabled = v),
        new IntegerSetting("telemetry.interval_seconds", "Seconds between two samples.", 1, 3600,
            static c => c.TelemetryIntervalSeconds, static (c, v) => c.TelemetryIntervalSeconds = v),
        new BooleanSetting("observability.enabled", "Load the kernel probes and send what they see.",
            static c => c.ObservabilityEnabled, static (c, v) => c.ObservabilityEnabled = v),
        new IntegerSetting("observability.ring_bytes", "Bytes of the ring between kernel and agent.", 262_144, 16_777_216,
            static c => c.RingBytes, static (c, v) => c.RingBytes = v, powerOfTwo: true),
        new IntegerSetting("observability.batch_rows", "Rows at which a batch is closed.", 1, 65_536,
            static c => c.BatchRows, static (c, v) => c.BatchRows = v),
        new IntegerSetting("observability.batch_busy_ms", "Age in milliseconds at which a batch is closed while events keep coming.", 10, 60_000,
            static c => c.BatchBusyMilliseconds, static (c, v) => c.BatchBusyMilliseconds = v),
        new IntegerSetting("observability.batch_quiet_ms", "Age in milliseconds that no row waits beyond.", 10, 60_000,
            static c => c.BatchQuietMilliseconds, static (c, v) => c.BatchQuietMilliseconds = v),
        new IntegerSetting("observability.barrier_seconds", "Seconds between two ledger barriers.", 1, 3600,
            static c => c.BarrierSeconds, static (c, v) => c.BarrierSeconds = v),
        new IntegerSetting("observability.cpu_percent", "CPU time of the agent, in percent of one CPU, that shedding keeps it within.",
            10, 6400, static c => c.CpuPercent, static (c, v) => c.CpuPercent = v),
        new ListSetting("observability.exclude_cgroups", "Cgroups whose network events are counted and not sent; the agent's own always is one.",
            "a path (of the cgroup2 mount or below it, '/a/b' as in /proc/PID/cgroup) or a numeric id", MaximumExcludedCgroups,
            static c => c.ExcludeCgroups, static (c, v) => c.ExcludeCgroups = v, SettingRules.Cgroup),
        new BooleanSetting("analysis.enabled", "Analysis module (not built in yet).",
            static c => c.AnalysisEnabled, static (c, v) => c.AnalysisEnabled = v),
        new BooleanSetting("threat_intel.enabled", "Threat intelligence module (not built in yet).",
            static c => c.ThreatIntelEnabled, static (c, v) => c.ThreatIntelEnabled = v),
        new BooleanSetting("policy.enabled", "Advanced policy module (not built in yet).",
            static c => c.PolicyEnabled, static (c, v) => c.PolicyEnabled = v),
    ];

    /// <summary>The setting of that dotted name, or null.</summary>
    public static Setting? Find(ReadOnlySpan<char> name)
    {
        foreach (var setting in All)
        {
            if (name.SequenceEqual(setting.Name))
                return setting;
        }

        return null;
    }

    /// <summary>The setting of that option (<c>--gateway</c>), or null.</summary>
    public static Setting? FindOption(ReadOnlySpan<char> option)
    {
        foreach (var setting in All)
        {
            if (option.SequenceEqual(setting.Option))
                return setting;
        }

        return null;
    }
}
