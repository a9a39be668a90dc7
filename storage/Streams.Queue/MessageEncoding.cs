namespace Streams.Queue;

/// <summary>The form of the batches in an ingest message.</summary>
public enum MessageEncoding : byte
{
    /// <summary>Whole consecutive batches as in <c>streams.v1.bin</c>.</summary>
    Binary,

    /// <summary>One batch as the opened content of a <c>streams.v1.json</c> message.</summary>
    Json,
}
