using System.Buffers;
using System.IO.Pipelines;
using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>The decoded body of a request, read once: its front into a buffer (where a query may be), the rest straight into a memory file.</summary>
internal sealed class RequestBody : IAsyncDisposable
{
    private const int ChunkBytes = 128 * 1024;

    private readonly PipeReader _raw;
    private readonly Stream? _decoder;

    private RequestBody(PipeReader raw, Stream? decoder)
    {
        _raw = raw;
        _decoder = decoder;
    }

    public static RequestBody? Open(HttpRequest request, out EngineError? error)
    {
        // A GET has its query in the URL; ClickHouse does not look at a body there either.
        var body = HttpMethods.IsPost(request.Method) || HttpMethods.IsPut(request.Method) ? request.Body : Stream.Null;
        var decoder = ContentEncodings.Decode(request.Headers.ContentEncoding.ToString(), body, out error);
        if (decoder is null)
            return null;
        return ReferenceEquals(body, Stream.Null)
            ? new RequestBody(PipeReader.Create(ReadOnlySequence<byte>.Empty), null)
            : new RequestBody(request.BodyReader, ReferenceEquals(decoder, body) ? null : decoder);
    }

    /// <summary>Fills the buffer or reaches the end, whichever comes first.</summary>
    public async ValueTask<int> ReadFrontAsync(Memory<byte> buffer, CancellationToken cancel)
    {
        var length = 0;
        while (length < buffer.Length)
        {
            if (_decoder is not null)
            {
                var count = await _decoder.ReadAsync(buffer[length..], cancel).ConfigureAwait(false);
                if (count == 0)
                    break;
                length += count;
                continue;
            }

            var read = await _raw.ReadAsync(cancel).ConfigureAwait(false);
            var taken = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, buffer.Length - length));
            taken.CopyTo(buffer.Span[length..]);
            length += (int)taken.Length;
            _raw.AdvanceTo(taken.End);
            if (read.IsCompleted && taken.Length == read.Buffer.Length)
                break;
        }

        return length;
    }

    /// <returns>Null when all is in the file.</returns>
    public async ValueTask<EngineError?> SpoolAsync(MemoryFile file, SpoolBudget budget, CancellationToken cancel) =>
        _decoder is null ? await SpoolRawAsync(file, budget, cancel).ConfigureAwait(false) : await SpoolDecodedAsync(_decoder, file, budget, cancel).ConfigureAwait(false);

    public ValueTask DisposeAsync() => _decoder?.DisposeAsync() ?? ValueTask.CompletedTask;

    // The only copy is the kernel's, from Kestrel's receive buffers into the file.
    private async ValueTask<EngineError?> SpoolRawAsync(MemoryFile file, SpoolBudget budget, CancellationToken cancel)
    {
        while (true)
        {
            var read = await _raw.ReadAsync(cancel).ConfigureAwait(false);
            foreach (var segment in read.Buffer)
            {
                if (!file.TryAppend(segment.Span))
                    return budget.Refusal(file.Length, segment.Length);
            }

            _raw.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return null;
        }
    }

    private static async ValueTask<EngineError?> SpoolDecodedAsync(Stream decoder, MemoryFile file, SpoolBudget budget, CancellationToken cancel)
    {
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            while (true)
            {
                var count = await decoder.ReadAsync(chunk, cancel).ConfigureAwait(false);
                if (count == 0)
                    return null;
                if (!file.TryAppend(chunk.AsSpan(0, count)))
                    return budget.Refusal(file.Length, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }
}
