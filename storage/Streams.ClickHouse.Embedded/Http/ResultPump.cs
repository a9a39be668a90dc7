using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>
/// From the engine's pipe to the response. Until the first buffer is full nothing is sent, so small answers have a length, a summary
/// and, if the query fails, the right status; what is longer streams, and the pipe's 64 KiB make the engine wait for a slow client.
/// </summary>
internal sealed class ResultPump(Answer answer, SafeFileHandle pipe, SpoolBudget budget)
{
    // ClickHouse holds back http_response_buffer_size = 1 MiB; less here, because the summary of longer answers is of no use to anybody.
    private const int BufferBytes = 256 * 1024;

    public async Task<EngineError?> RunAsync(RunningQuery query, string format, bool waitEnd, CancellationToken aborted)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var length = Fill(buffer);
            if (length == BufferBytes)
                return waitEnd ? await SpoolAsync(query, buffer, format, aborted).ConfigureAwait(false) : await StreamAsync(query, buffer, format, aborted).ConfigureAwait(false);
            var result = await query.Result.ConfigureAwait(false);
            aborted.ThrowIfCancellationRequested();
            if (result.Error is null)
                await answer.SendAsync(buffer.AsMemory(0, length), result.Summary, format).ConfigureAwait(false);
            return result.Error;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task<EngineError?> StreamAsync(RunningQuery query, byte[] buffer, string format, CancellationToken aborted)
    {
        await using var stream = answer.BeginStream(format);
        for (var length = BufferBytes; length > 0; length = Fill(buffer))
        {
            await stream.WriteAsync(buffer.AsMemory(0, length), aborted).ConfigureAwait(false);
            aborted.ThrowIfCancellationRequested();
        }

        var result = await query.Result.ConfigureAwait(false);
        aborted.ThrowIfCancellationRequested();
        if (result.Error is not null)
            await answer.BreakAsync(stream, result.Error).ConfigureAwait(false);
        return null;
    }

    private async Task<EngineError?> SpoolAsync(RunningQuery query, byte[] buffer, string format, CancellationToken aborted)
    {
        using var spool = new MemoryFile(budget);
        for (var length = BufferBytes; length > 0; length = Fill(buffer))
        {
            if (!spool.TryAppend(buffer.AsSpan(0, length)))
            {
                pipe.Dispose();
                await query.CancelAsync().ConfigureAwait(false);
                return EngineError.Raise(EngineError.MemoryLimitExceeded, "MEMORY_LIMIT_EXCEEDED", "The answer is too large to be held back; ask without wait_end_of_query");
            }
        }

        var result = await query.Result.ConfigureAwait(false);
        aborted.ThrowIfCancellationRequested();
        if (result.Error is not null)
            return result.Error;
        await using var stream = answer.BeginStream(format, result.Summary);
        for (long offset = 0; offset < spool.Length;)
        {
            var length = spool.Read(buffer, offset);
            await stream.WriteAsync(buffer.AsMemory(0, length), aborted).ConfigureAwait(false);
            offset += length;
        }

        return null;
    }

    // Blocks this pool thread, which is accounted for: the pool's minimum is two threads for each connection.
    private int Fill(byte[] buffer)
    {
        var length = 0;
        while (length < BufferBytes)
        {
            var count = Interop.Files.Read(pipe, buffer.AsSpan(length, BufferBytes - length));
            if (count == 0)
                break;
            length += count;
        }

        return length;
    }
}
