using Streams.Schema;

namespace Streams.Storage;

/// <summary>A batch that is given up, as its row in <see cref="DeadLetterTable"/>.</summary>
/// <param name="Rows">Rows that the batch says it has.</param>
/// <param name="Cause">One of the names in the table's comment.</param>
/// <param name="Code">ClickHouse's error code, 0 without.</param>
/// <param name="Bytes">As received; must stay unchanged until the letter is stored.</param>
/// <param name="DeadAt">Microseconds since 1970; fixed, so that a repeated insert is the same block.</param>
public sealed record DeadLetter(
    BatchName Name, string Class, uint Rows, string Cause, int Code, string Message, ReadOnlyMemory<byte> Bytes, long DeadAt);
