namespace Streams.Worker.Commit;

/// <summary>The tables, as the inserter needs them. One implementation talks to ClickHouse; tests break it on purpose.</summary>
internal interface IBatchStore
{
    /// <summary>Sends one block. Never throws for what the server or the network does; only for cancellation.</summary>
    /// <param name="serial">Number of the insert in this process's life; with the owner it is in the comment that the statement begins
    /// with.</param>
    /// <param name="repeated">The token was sent before: success is then no evidence of rows.</param>
    Task<InsertOutcome> InsertAsync(
        InsertTarget target, IReadOnlyList<PendingBatch> batches, string token, long serial, bool repeated, CancellationToken cancel);

    /// <summary>Kills what still runs of an insert, and returns when it has ended.</summary>
    Task KillAsync(long serial, CancellationToken cancel);

    /// <summary>
    /// Which of the batches the table holds completely and readable, in their order. A batch in one part is there whole or not at all.
    /// </summary>
    /// <exception cref="InvalidDataException">It holds a part of one.</exception>
    Task<bool[]> ReadBackAsync(InsertTarget target, IReadOnlyList<PendingBatch> batches, CancellationToken cancel);
}
