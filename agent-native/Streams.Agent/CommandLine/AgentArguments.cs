namespace Streams.Agent.CommandLine;

/// <summary>What the command line asked for. <paramref name="Overrides"/> are settings given as options, in their order.</summary>
internal sealed record AgentArguments(
    AgentVerb Verb,
    string? ConfigurationFile,
    bool Json,
    IReadOnlyList<KeyValuePair<string, string>> Overrides);
