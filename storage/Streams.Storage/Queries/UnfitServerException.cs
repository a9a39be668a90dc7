namespace Streams.Storage;

/// <summary>The server lacks something that exactly-once rests on. The message is one line for the operator.</summary>
public sealed class UnfitServerException(Uri server, string fault) : Exception($"ClickHouse at {server} cannot be used: {fault}");
