namespace Streams.Worker.Decode;

/// <summary>One step of reading the stream: a batch to store, or the end of a message of which nothing (more) is stored.</summary>
/// <param name="Sequence">The message it belongs to.</param>
/// <param name="EndsMessage">Nothing of the message follows: once this is committed the stream may be trimmed up to it.</param>
internal readonly record struct IntakeItem(StagedBatch? Batch, ulong Sequence, bool EndsMessage);
