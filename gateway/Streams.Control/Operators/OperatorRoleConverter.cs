using System.Text.Json.Serialization;

namespace Streams.Control.Operators;

/// <summary>A role is written by its name only: numbers are ours.</summary>
internal sealed class OperatorRoleConverter() : JsonStringEnumConverter<OperatorRole>(namingPolicy: null, allowIntegerValues: false);
