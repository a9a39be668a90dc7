namespace Streams.Agent.Configuration;

/// <summary>A configuration that cannot be used. The message is one line: what is wrong, then how to mend it.</summary>
internal sealed class ConfigurationException(string message) : AgentException(message);
