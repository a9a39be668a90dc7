namespace Streams.Storage;

/// <summary>A merged part whose last rows cannot be read.</summary>
/// <param name="Why">The engine's words, one line.</param>
public sealed record UnreadablePart(MergedPart Part, string Why);
