namespace Streams.Fuzz;

/// <summary>An input broke an invariant or a cap.</summary>
internal sealed class FuzzException(string message, Exception? inner = null) : Exception(message, inner);
