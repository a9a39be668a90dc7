using System.Text.Json.Serialization;

namespace Streams.Control.Commands;

/// <summary>A state is written by its name only: numbers are ours.</summary>
internal sealed class CommandStateConverter() : JsonStringEnumConverter<CommandState>(namingPolicy: null, allowIntegerValues: false);
