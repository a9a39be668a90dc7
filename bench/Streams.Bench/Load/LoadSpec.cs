using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streams.Bench.Load;

/// <summary>What one load process is to do; written by the harness, read by the process.</summary>
internal sealed record LoadSpec
{
    /// <summary>ws://host:port of the gateway.</summary>
    public required string Gateway { get; init; }

    /// <summary>The fleet root to pin, base64url.</summary>
    public required string Root { get; init; }

    /// <summary>Agents are PREFIX-0, PREFIX-1 ...; their keys are KEYS/PREFIX-N.key.</summary>
    public required string Prefix { get; init; }

    public required string Keys { get; init; }

    /// <summary>The agents' ids when a deployment has given them; null when they follow from the prefix.</summary>
    public IReadOnlyList<string>? Ids { get; init; }

    /// <summary>For wss: PEM certificates to trust instead of the system's.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>First agent of this process, and how many it plays, of so many in all.</summary>
    public required int First { get; init; }

    public required int Count { get; init; }

    public required int Agents { get; init; }

    public required MixOptions Mix { get; init; }

    /// <summary>Due times; empty means as fast as the agents are let.</summary>
    public required IReadOnlyList<Segment> Segments { get; init; }

    /// <summary>For a load without due times: how long, and after how many rows of this process it ends; 0 is no bound.</summary>
    public double MaxSeconds { get; init; }

    public long MaxRows { get; init; }

    /// <summary>Rows carry their scheduled time: every batch is made ahead. Otherwise a set of batches is sent again and again.</summary>
    public bool Scheduled { get; init; }

    /// <summary>Spool of an agent, MiB; 0 keeps batches in memory only.</summary>
    public int SpoolMebibytes { get; init; }

    /// <summary>Share of the agents that begin a new session every so many seconds; 0 for none.</summary>
    public double ChurnShare { get; init; }

    public double ChurnSeconds { get; init; }

    /// <summary>Longest wait for the commit of everything after the last due time.</summary>
    public double FlushSeconds { get; init; } = 120;

    /// <summary>Where the process keeps its files and finds <see cref="GoFile"/>.</summary>
    public required string Directory { get; init; }

    [JsonIgnore]
    public string GoFile => Path.Combine(Directory, "go");

    [JsonIgnore]
    public string StopFile => Path.Combine(Directory, "stop");

    public static LoadSpec Read(string path) => JsonSerializer.Deserialize(File.ReadAllBytes(path), LoadJson.Default.LoadSpec)!;

    public void Write(string path) => File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(this, LoadJson.Default.LoadSpec));
}

/// <summary>What a load process says, one line each: what it does, and how far it is. Counts run since its clock started.</summary>
internal sealed record LoadStatus
{
    /// <summary>preparing, connecting, ready, loading, flushing, done or failed.</summary>
    public required string State { get; init; }

    /// <summary>Why it failed, or what it prepares.</summary>
    public string Detail { get; init; } = "";

    /// <summary>Microseconds since 1970 that the scheduled times of the rows count from; 0 when rows carry none.</summary>
    public long RowClock { get; init; }

    /// <summary>Since the start of the load; of "done": until the last commit.</summary>
    public double Seconds { get; init; }

    /// <summary>Rows that were due, or without due times were taken.</summary>
    public long Offered { get; init; }

    /// <summary>Rows that the links took.</summary>
    public long Accepted { get; init; }

    /// <summary>Of the accepted, those that were taken more than <see cref="Sender.LateAfter"/> behind their due time.</summary>
    public long Late { get; init; }

    /// <summary>How far the oldest due batch that is not taken is behind, seconds.</summary>
    public double BehindSeconds { get; init; }

    public int Connected { get; init; }

    /// <summary>Bytes of data frames.</summary>
    public long WireBytes { get; init; }

    /// <summary>Rows that spools gave up, by the agents' own count.</summary>
    public long Evicted { get; init; }

    /// <summary>Sessions begun by all agents since they were made.</summary>
    public long Sessions { get; init; }

    public double CpuSeconds { get; init; }

    public long AllocatedBytes { get; init; }

    /// <summary>Rows sealed ahead, and the CPU seconds that took in all.</summary>
    public long PreparedRows { get; init; }

    public double PrepareCpuSeconds { get; init; }

    /// <summary>CPU seconds that the sealing of one row costs: ledger, compression and copy, without the making of rows.</summary>
    public double SealSecondsPerRow { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(LoadSpec))]
[JsonSerializable(typeof(LoadStatus))]
internal sealed partial class LoadJson : JsonSerializerContext;
