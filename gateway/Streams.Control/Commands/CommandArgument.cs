namespace Streams.Control.Commands;

/// <summary>One argument of a command. Names rise strictly in a document, by their bytes, so that one set has one form.</summary>
public readonly record struct CommandArgument(string Name, string Value);
