using System.Text.Json;

namespace Streams.Agent.Configuration;

/// <param name="check">Null for an allowed value, otherwise what is wrong with it.</param>
internal class TextSetting(
    string name,
    string description,
    string allowed,
    Func<AgentConfiguration, string> get,
    Action<AgentConfiguration, string> set,
    Func<string, string?> check) : Setting(name, description)
{
    public override string Allowed => allowed;

    public override string? SetText(AgentConfiguration configuration, string text)
    {
        set(configuration, text);
        return null;
    }

    public override string? SetJson(AgentConfiguration configuration, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
            return "is not a string";
        set(configuration, reader.GetString()!);
        return null;
    }

    public override string? Check(AgentConfiguration configuration) => check(get(configuration));

    public override void Write(AgentConfiguration configuration, Utf8JsonWriter writer) => writer.WriteStringValue(get(configuration));
}
