using System.Text.Json;

namespace Streams.Agent.Configuration;

/// <summary>A secret: what is printed tells that there is one, and nothing of it.</summary>
internal sealed class TokenSetting(
    string name,
    string description,
    string allowed,
    Func<AgentConfiguration, string> get,
    Action<AgentConfiguration, string> set,
    Func<string, string?> check) : TextSetting(name, description, allowed, get, set, check)
{
    private readonly Func<AgentConfiguration, string> _get = get;

    public override void Write(AgentConfiguration configuration, Utf8JsonWriter writer) =>
        writer.WriteStringValue(_get(configuration).Length == 0 ? "" : "***");
}
