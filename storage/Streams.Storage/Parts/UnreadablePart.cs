namespace Streams.Storage;

/// <summary>A part whose last rows cannot be read.</summary>
/// <param name="Why">The engine's words, one line.</param>
public sealed record UnreadablePart(WrittenPart Part, string Why);
