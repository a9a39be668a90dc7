namespace Streams.Bench.Running;

/// <summary>A run could not be made or did not show what it should; the message is one line that says why.</summary>
internal sealed class BenchFailure(string message) : Exception(message);
