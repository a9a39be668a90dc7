using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streams.Local;

/// <summary>
/// Where the parts of a running instance are: written to DATA/run/endpoints.json (0600) by `streams up`, read by `streams sql`, `tail`,
/// `agents`. Secrets are
/// named by file, never held.
/// </summary>
public sealed record Endpoints
{
    private const string FileName = "endpoints.json";

    /// <summary>Layout of this file.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The process that supervises the instance.</summary>
    public required int Pid { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The agents' address, as `ws://127.0.0.1:8080/v1/agent`.</summary>
    public required string Gateway { get; init; }

    /// <summary>Operator HTTP, as `http://127.0.0.1:8081/`.</summary>
    public required string Operator { get; init; }

    [JsonPropertyName("clickhouse")]
    public required string ClickHouse { get; init; }

    [JsonPropertyName("clickhouse_user")]
    public required string ClickHouseUser { get; init; }

    [JsonPropertyName("clickhouse_password_file")]
    public required string ClickHousePasswordFile { get; init; }

    /// <summary>The user who may only read.</summary>
    [JsonPropertyName("clickhouse_reader")]
    public required string ClickHouseReader { get; init; }

    [JsonPropertyName("clickhouse_reader_password_file")]
    public required string ClickHouseReaderPasswordFile { get; init; }

    public required string Nats { get; init; }

    /// <summary>Number of ingest partitions.</summary>
    public required int Partitions { get; init; }

    /// <summary>Seed files by role, lower case.</summary>
    public required IReadOnlyDictionary<string, string> NatsSeedFiles { get; init; }

    /// <summary>The cgroups whose network events the sensor filters; empty if there are none.</summary>
    public IReadOnlyList<ulong> CgroupIds { get; init; } = [];

    /// <summary>Process ids of the children that run now, by name.</summary>
    public IReadOnlyDictionary<string, int> Children { get; init; } = new Dictionary<string, int>();

    /// <summary>All children in order of start, as the supervisor saw them last.</summary>
    public IReadOnlyList<ChildStatus> Statuses { get; init; } = [];

    /// <summary>Writes the file of this data directory.</summary>
    public void Write(DataDirectory data) =>
        SecretFile.Write(Path.Combine(data.Run, FileName), JsonSerializer.SerializeToUtf8Bytes(this, EndpointsJson.Default.Endpoints));

    /// <summary>Reads the file of a data directory whose instance runs.</summary>
    /// <exception cref="LocalException">No instance runs on it.</exception>
    public static Endpoints Read(string dataDirectory)
    {
        var path = FilePath(Path.GetFullPath(dataDirectory));
        try
        {
            var endpoints = JsonSerializer.Deserialize(File.ReadAllBytes(path), EndpointsJson.Default.Endpoints);
            if (endpoints is { Version: 1 } && Directory.Exists($"/proc/{endpoints.Pid}"))
                return endpoints;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
        }
        catch (Exception error) when (error is JsonException or UnauthorizedAccessException)
        {
            throw new LocalException($"{path} cannot be read: {error.Message}", error);
        }

        throw new LocalException($"Nothing runs on {dataDirectory}. Start it with `streams up`, or name its directory with --data.");
    }

    /// <summary>Removes the file: the instance has stopped.</summary>
    public static void Remove(DataDirectory data) => File.Delete(Path.Combine(data.Run, FileName));

    private static string FilePath(string data) => Path.Combine(data, "run", FileName);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Endpoints))]
internal sealed partial class EndpointsJson : JsonSerializerContext;
