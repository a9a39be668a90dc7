using System.Text.Json;

namespace Streams.Agent.Configuration;

internal sealed class BooleanSetting(
    string name,
    string description,
    Func<AgentConfiguration, bool> get,
    Action<AgentConfiguration, bool> set) : Setting(name, description)
{
    public override string Allowed => "true or false";

    public override string? SetText(AgentConfiguration configuration, string text)
    {
        if (text is not ("true" or "false"))
            return $"is '{text}', allowed is {Allowed}";
        set(configuration, text == "true");
        return null;
    }

    public override string? SetJson(AgentConfiguration configuration, ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.True or JsonTokenType.False))
            return $"is not {Allowed}";
        set(configuration, reader.TokenType == JsonTokenType.True);
        return null;
    }

    public override string? Check(AgentConfiguration configuration) => null;

    public override void Write(AgentConfiguration configuration, Utf8JsonWriter writer) => writer.WriteBooleanValue(get(configuration));
}
