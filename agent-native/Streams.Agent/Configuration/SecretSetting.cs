using System.Text.Json;

namespace Streams.Agent.Configuration;

/// <summary>A URL that may name a user with a password, which is not printed.</summary>
internal sealed class SecretSetting(
    string name,
    string description,
    string allowed,
    Func<AgentConfiguration, string> get,
    Action<AgentConfiguration, string> set,
    Func<string, string?> check) : TextSetting(name, description, allowed, get, set, check)
{
    private readonly Func<AgentConfiguration, string> _get = get;

    public override void Write(AgentConfiguration configuration, Utf8JsonWriter writer)
    {
        var value = _get(configuration);
        var start = value.IndexOf("://", StringComparison.Ordinal) + 3;
        var end = value.LastIndexOf('@');
        writer.WriteStringValue(end > start ? $"{value[..start]}***{value[end..]}" : value);
    }
}
