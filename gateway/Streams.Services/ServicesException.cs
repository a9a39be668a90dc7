namespace Streams.Services;

/// <summary>The role cannot start; the message is one line that says why and what to do.</summary>
public sealed class ServicesException(string message) : Exception(message);
