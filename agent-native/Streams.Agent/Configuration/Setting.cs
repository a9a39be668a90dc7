using System.Text.Json;

namespace Streams.Agent.Configuration;

/// <summary>
/// One setting: its dotted name in the file, from which the option is derived, how text becomes its value and which values are allowed.
/// File, options, `--print-config`, validator and reference page all come from these objects, so that none can forget a setting.
/// </summary>
internal abstract class Setting(string name, string description)
{
    /// <summary>Dotted path in agent.json, e.g. <c>telemetry.interval_seconds</c>.</summary>
    public string Name { get; } = name;

    public string Description { get; } = description;

    /// <summary>The same setting on the command line, e.g. <c>--telemetry-interval-seconds</c>.</summary>
    public string Option { get; } = "--" + name.Replace('.', '-').Replace('_', '-');

    /// <summary>What a value may be, in words for messages and the reference page.</summary>
    public abstract string Allowed { get; }

    /// <summary>Sets from the text of an option. Null, or what is wrong with the text.</summary>
    public abstract string? SetText(AgentConfiguration configuration, string text);

    /// <summary>Sets from the value at the reader's token (for a list: from its StartArray to its EndArray). Null, or what is wrong.</summary>
    public abstract string? SetJson(AgentConfiguration configuration, ref Utf8JsonReader reader);

    /// <summary>Null when the value in the configuration is allowed, otherwise the value and the bound it breaks.</summary>
    public abstract string? Check(AgentConfiguration configuration);

    public abstract void Write(AgentConfiguration configuration, Utf8JsonWriter writer);
}
