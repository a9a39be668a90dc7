using Streams.Bench.Cases;

namespace Streams.Bench.Reports;

/// <summary>What a key of a report means.</summary>
/// <param name="Unit">For people; the key itself ends in the unit where it has one.</param>
/// <param name="Measured">Whether a case measures it.</param>
internal sealed record ReportKey(string Unit, string Meaning, Func<CaseDefinition, bool> Measured);

/// <summary>Every key that a report may have, in the order in which it is written.</summary>
internal static class ReportKeys
{
    public const string Offered = "offered_rows";
    public const string Accepted = "accepted_rows";
    public const string Late = "late_rows";
    public const string Committed = "committed_rows";
    public const string Counted = "counted_lost_rows";
    public const string Lost = "lost";
    public const string Doubled = "doubled";
    public const string OverloadDifference = "overload_difference";
    public const string Capacity = "capacity_rows_per_second";
    public const string CommittedRate = "committed_rows_per_second";
    public const string IngestRate = "ingest_rows_per_second";
    public const string RawVersus = "cpu_vs_raw_native";
    public const string Cpu = "cpu_seconds_per_million";
    public const string PathCpu = "path_cpu_seconds_per_million";
    public const string ServeCpu = "serve_cpu_seconds_per_million";
    public const string NatsCpu = "nats_cpu_seconds_per_million";
    public const string ClickHouseCpu = "clickhouse_cpu_seconds_per_million";
    public const string LinkCpu = "agent_link_cpu_seconds_per_million";
    public const string SealCpu = "agent_seal_cpu_seconds_per_million";
    public const string GeneratorCpu = "generator_cpu_seconds_per_million";
    public const string RawCpu = "raw_native_cpu_seconds_per_million";
    public const string RawRate = "raw_native_rows_per_second";
    public const string Allocated = "allocated_bytes_per_event";
    public const string ServeAllocated = "serve_allocated_bytes_per_event";
    public const string AgentAllocated = "agent_allocated_bytes_per_event";
    public const string Wire = "wire_bytes_per_event";
    public const string Disk = "disk_bytes_per_event";
    public const string LatencyP50 = "latency_p50_ms";
    public const string LatencyP90 = "latency_p90_ms";
    public const string LatencyP99 = "latency_p99_ms";
    public const string LatencyP999 = "latency_p999_ms";
    public const string LatencyMax = "latency_max_ms";
    public const string LatencyError = "latency_error_ms";
    public const string LatencyRows = "latency_rows";
    public const string AlertP50 = "alert_latency_p50_ms";
    public const string AlertP99 = "alert_latency_p99_ms";
    public const string AlertMax = "alert_latency_max_ms";
    public const string AlertRows = "alert_latency_rows";
    public const string QueryP95 = "query_p95_ms";
    public const string QuietCpu = "quiet_agents_cpu_cores";
    public const string QuietRss = "quiet_agents_rss_bytes";
    public const string ServePeak = "serve_peak_rss_bytes";
    public const string NatsPeak = "nats_peak_rss_bytes";
    public const string ClickHousePeak = "clickhouse_peak_rss_bytes";
    public const string LoadPeak = "load_peak_rss_bytes";
    public const string Parts = "parts";
    public const string MostParts = "most_parts";
    public const string Merges = "merges";
    public const string Sessions = "sessions_begun";

    private static readonly Func<CaseDefinition, bool> Always = static _ => true;

    public static IReadOnlyDictionary<string, ReportKey> All { get; } = new OrderedDictionary<string, ReportKey>
    {
        [Offered] = new("rows", "due by the schedule; without one, what the links took", Always),
        [Accepted] = new("rows", "taken by the agents' links", Always),
        [Late] = new("rows", "of these, taken more than 20 ms behind their due time", static c => !c.Max),
        [Committed] = new("rows", "different rows in the tables", Always),
        [Counted] = new("rows", "lost and counted by cause in the ledger", Always),
        [Lost] = new("rows", "accepted, and neither in the tables nor counted", Always),
        [Doubled] = new("rows", "in the tables more than once", Always),
        [OverloadDifference] = new("rows", "offered - committed - counted", static c => c.CapacitySeconds > 0),
        [Capacity] = new("rows/s", "committed by the run that multiples of the capacity refer to", static c => c.CapacitySeconds > 0),
        [CommittedRate] = new("rows/s", "committed, from the start to the last commit", Always),
        [IngestRate] = new("rows/s", "the same, as much as the path takes", static c => c.Max),
        [RawVersus] = new("", "CPU of a raw Native insert / CPU of the whole path with ClickHouse, agents and merges, without the generator", static c => c.RawNative),
        [Cpu] = new("CPU-s per million rows", "agent seal to Native block: agents' seal and link, serve, NATS; without ClickHouse and generator", Always),
        [PathCpu] = new("CPU-s per million rows", "the same and ClickHouse, merges settled", Always),
        [ServeCpu] = new("CPU-s per million rows", "gateway, worker and services", Always),
        [NatsCpu] = new("CPU-s per million rows", "nats-server", Always),
        [ClickHouseCpu] = new("CPU-s per million rows", "streams-clickhouse, merges settled", Always),
        [LinkCpu] = new("CPU-s per million rows", "the load processes while they send: frames, AEAD, sockets, credit, and the clock", Always),
        [SealCpu] = new("CPU-s per million rows", "compressing and sealing batches, measured where they are made ahead", Always),
        [GeneratorCpu] = new("CPU-s per million rows", "making rows up, ahead of the clock: in no sum above", Always),
        [RawCpu] = new("CPU-s per million rows", "ClickHouse for the same rows as prepared Native blocks, merges settled", static c => c.RawNative),
        [RawRate] = new("rows/s", "of it, one insert after the other", static c => c.RawNative),
        [Allocated] = new("bytes", "managed heap allocated an event, serve and agents, after the first fifth of the load", Always),
        [ServeAllocated] = new("bytes", "of it, serve: gateway, worker and services", Always),
        [AgentAllocated] = new("bytes", "of it, the agents and the clock of their process", Always),
        [Wire] = new("bytes", "data frames, by committed row", Always),
        [Disk] = new("bytes", "all tables of the database, merges settled, by event row", static c => c.BeforeRows == 0),
        [LatencyP50] = new("ms", "scheduled time of a row to its first sight by a polling reader", static c => c.Latency),
        [LatencyP90] = new("ms", "", static c => c.Latency),
        [LatencyP99] = new("ms", "", static c => c.Latency),
        [LatencyP999] = new("ms", "", static c => c.Latency),
        [LatencyMax] = new("ms", "", static c => c.Latency),
        [LatencyError] = new("ms", "by which the latencies may be too high: the reader's longest round (p99)", static c => c.Latency),
        [LatencyRows] = new("rows", "that the reader saw before they were merged", static c => c.Latency),
        [AlertP50] = new("ms", "begin or end of a session to the first sight of its row of alert priority", static c => c.Latency),
        [AlertP99] = new("ms", "", static c => c.Latency),
        [AlertMax] = new("ms", "", static c => c.Latency),
        [AlertRows] = new("rows", "of them", static c => c.Latency),
        [QueryP95] = new("ms", "the slowest of the five queries during the load", static c => c.Queries),
        [QuietCpu] = new("cores", "the gateway while the agents are connected and quiet", static c => c.Quiet),
        [QuietRss] = new("bytes", "the gateway, highest seen while they are", static c => c.Quiet),
        [ServePeak] = new("bytes", "highest resident memory of streams serve", Always),
        [NatsPeak] = new("bytes", "of nats-server", Always),
        [ClickHousePeak] = new("bytes", "of streams-clickhouse", Always),
        [LoadPeak] = new("bytes", "of the load processes together, prepared batches included", Always),
        [Parts] = new("", "active parts of all tables when merges have settled", Always),
        [MostParts] = new("", "most active parts seen during the load", Always),
        [Merges] = new("", "merges seen running, sampled once a second", Always),
        [Sessions] = new("", "sessions that the agents began", Always),
    };
}
