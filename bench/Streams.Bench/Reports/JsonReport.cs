using System.Text.Json;
using System.Text.Json.Nodes;
using Streams.Bench.Running;

namespace Streams.Bench.Reports;

/// <summary>Reports as JSON: the numbers flat under their keys, everything else in objects beside them. Several runs are an array.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Format = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static string Write(IReadOnlyList<CaseReport> reports) =>
        (reports.Count == 1 ? Of(reports[0]) : (JsonNode)new JsonArray([.. reports.Select(Of)])).ToJsonString(Format) + "\n";

    public static JsonObject Of(CaseReport report)
    {
        var root = new JsonObject
        {
            ["case"] = report.Case.Name,
            ["at"] = report.At.ToString("O"),
            ["partial"] = report.Partial,
        };
        foreach (var (key, _) in ReportKeys.All)
        {
            if (report.Values.TryGetValue(key, out var value))
            {
                root[key] = value;
            }
        }

        foreach (var (name, p95, count) in report.Queries)
        {
            root[$"query_{name}_p95_ms"] = p95;
            root[$"query_{name}_count"] = count;
        }

        root["machine"] = JsonSerializer.SerializeToNode(report.Machine, Format);
        root["noise"] = new JsonObject
        {
            ["before"] = JsonSerializer.SerializeToNode(report.Before, Format),
            ["after"] = JsonSerializer.SerializeToNode(report.After, Format),
        };
        root["load"] = new JsonObject
        {
            ["agents"] = report.Case.Agents,
            ["seconds"] = report.Case.Seconds,
            ["mix"] = JsonSerializer.SerializeToNode(report.Case.Mix, Format),
        };
        root["samples"] = new JsonArray([.. report.Samples.Select(static sample => JsonSerializer.SerializeToNode(sample, Format))]);
        return root;
    }

    /// <summary>The flat numbers of every run in a file, or in all .json files of a folder; partial runs are left out.</summary>
    /// <exception cref="BenchFailure">There is none, or it cannot be read.</exception>
    public static IReadOnlyList<IReadOnlyDictionary<string, double>> ReadNumbers(string path)
    {
        var files = Directory.Exists(path) ? Directory.GetFiles(path, "*.json") : File.Exists(path) ? [path] : throw new BenchFailure($"{path}: no such file or folder");
        var runs = new List<IReadOnlyDictionary<string, double>>();
        foreach (var file in files.Order())
        {
            JsonNode? root;
            try
            {
                root = JsonNode.Parse(File.ReadAllText(file));
            }
            catch (JsonException wrong)
            {
                throw new BenchFailure($"{file}: {wrong.Message}");
            }

            var objects = root as JsonArray is { } array ? array.OfType<JsonObject>() : root is JsonObject one ? [one] : [];
            runs.AddRange(objects.Where(static run => run["partial"] is null).Select(Numbers));
        }

        return runs.Count > 0 ? runs : throw new BenchFailure($"{path}: no report of a whole run in it");
    }

    private static Dictionary<string, double> Numbers(JsonObject run) => run
        .Where(static pair => pair.Value is JsonValue value && value.GetValueKind() == JsonValueKind.Number)
        .ToDictionary(static pair => pair.Key, static pair => pair.Value!.GetValue<double>());
}
