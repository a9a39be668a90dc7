using System.Globalization;
using System.Text.Json;

namespace Streams.Agent.Configuration;

internal sealed class IntegerSetting(
    string name,
    string description,
    int minimum,
    int maximum,
    Func<AgentConfiguration, int> get,
    Action<AgentConfiguration, int> set,
    bool powerOfTwo = false) : Setting(name, description)
{
    public override string Allowed =>
        string.Create(CultureInfo.InvariantCulture, $"{minimum} to {maximum}") + (powerOfTwo ? ", a power of two" : "");

    public override string? SetText(AgentConfiguration configuration, string text)
    {
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            return $"'{text}' is not a whole number";
        set(configuration, value);
        return null;
    }

    public override string? SetJson(AgentConfiguration configuration, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var value))
            return "is not a whole number";
        set(configuration, value);
        return null;
    }

    public override string? Check(AgentConfiguration configuration)
    {
        var value = get(configuration);
        var fine = value >= minimum && value <= maximum && (!powerOfTwo || int.IsPow2(value));
        return fine ? null : string.Create(CultureInfo.InvariantCulture, $"is {value}, allowed is {Allowed}");
    }

    public override void Write(AgentConfiguration configuration, Utf8JsonWriter writer) => writer.WriteNumberValue(get(configuration));
}
