using System.Text.Json;

namespace Streams.Agent.Configuration;

/// <summary>A list of strings: an array in the file, comma-separated in an option.</summary>
internal sealed class ListSetting(
    string name,
    string description,
    string allowed,
    int maximumCount,
    Func<AgentConfiguration, IReadOnlyList<string>> get,
    Action<AgentConfiguration, IReadOnlyList<string>> set,
    Func<string, string?> check) : Setting(name, description)
{
    public override string Allowed => $"at most {maximumCount} of: {allowed}";

    public override string? SetText(AgentConfiguration configuration, string text)
    {
        set(configuration, text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return null;
    }

    public override string? SetJson(AgentConfiguration configuration, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return "is not a list";
        var items = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
                return "has an item that is not a string";
            items.Add(reader.GetString()!);
        }

        set(configuration, items);
        return null;
    }

    public override string? Check(AgentConfiguration configuration)
    {
        var items = get(configuration);
        if (items.Count > maximumCount)
            return $"has {items.Count} items, allowed is {Allowed}";
        foreach (var item in items)
        {
            if (check(item) is { } wrong)
                return $"has an item that {wrong}";
        }

        return null;
    }

    public override void Write(AgentConfiguration configuration, Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        foreach (var item in get(configuration))
            writer.WriteStringValue(item);
        writer.WriteEndArray();
    }
}
