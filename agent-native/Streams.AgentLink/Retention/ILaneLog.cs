namespace Streams.AgentLink.Retention;

/// <summary>Where the batches of one lane are kept: memory, a segment of the spool, or nowhere any more. Guarded by the table's
/// lock.</summary>
internal interface ILaneLog : IDisposable
{
    /// <summary>The first n that can be sent again.</summary>
    uint First { get; }

    /// <summary>n of the next batch.</summary>
    uint Next { get; }

    /// <summary>Bytes that it takes of the store's bound.</summary>
    long Bytes { get; }

    /// <summary>True when what was appended outlives the process.</summary>
    bool OnDisk { get; }

    /// <summary>Adds a batch, which begins <see cref="Spool.RecordHeader.Size"/> bytes into <paramref name="record"/>; what is before it
    /// is the log's to use. False, with nothing added, when there is no room or the disk refuses.</summary>
    bool TryAppend(Span<byte> record);

    /// <summary>Bytes of the batches from <paramref name="n"/> on; about, where knowing it exactly would mean reading.</summary>
    long BytesFrom(uint n);

    /// <summary>Length of batch <paramref name="n"/>, from <see cref="First"/> to below <see cref="Next"/>; 0 when it cannot be read
    /// now.</summary>
    int LengthOf(uint n);

    /// <summary>Class of batch <paramref name="n"/>; 0 when it cannot be read.</summary>
    ushort ClassOf(uint n);

    /// <summary>Copies whole consecutive batches from <paramref name="n"/> on, as many as fit.</summary>
    /// <returns>Bytes copied; <paramref name="count"/> batches.</returns>
    int CopyFrom(uint n, Span<byte> destination, out int count);

    /// <summary>Batches below <paramref name="committed"/> are durable at the server.</summary>
    void Commit(uint committed);
}
