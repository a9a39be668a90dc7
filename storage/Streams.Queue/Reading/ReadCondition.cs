namespace Streams.Queue;

/// <summary>What a read brought.</summary>
public enum ReadCondition : byte
{
    /// <summary>Messages, in order, without a hole between them and what came before.</summary>
    Messages = 0,

    /// <summary>A hole in the stream's sequences that is no purge of this reader: see <see cref="ReadBatch.GapFrom"/>. Messages follow
    /// in the next read; recover first.</summary>
    Gap = 1,

    /// <summary>
    /// The stream is not the one that was read before: made anew, or its end was lost so that its sequences will be given again, or it
    /// is missing. The reader has
    /// ended; recover, then start another.
    /// </summary>
    StreamReset = 2,
}
