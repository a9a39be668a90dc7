namespace Streams.AgentLink.Spool;

/// <summary>The spool cannot be used; the message is one line.</summary>
public sealed class SpoolException(string message) : Exception(message);
