using System.Buffers;
using System.IO.Pipelines;

namespace Streams.Gateway.Upgrade;

/// <summary>
/// A connection's pipes as the stream that a WebSocket wants. A read of zero bytes waits until there are some, so that who waits holds no buffer. One reader and one writer at a time.
/// </summary>
internal sealed class TransportStream(IDuplexPipe transport) : Stream
{
    private volatile bool _disposed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return transport.Input.TryRead(out var result) && !IsStray(in result) ? ValueTask.FromResult(Take(in result, buffer.Span)) : WaitAsync(buffer, cancellationToken);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var result = await transport.Output.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (result.IsCompleted || result.IsCanceled)
        {
            throw new IOException("the connection is closed");
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // A write goes out at once.
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Ends what reads or writes now; the pipes are the connection's.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            ThreadPool.UnsafeQueueUserWorkItem(static pipes => Wake(pipes), transport, preferLocal: false);
        }

        base.Dispose(disposing);
    }

    // On a thread of its own: who waits goes on in here, to the end of its connection, and who disposes may have others to look after.
    private static void Wake(IDuplexPipe pipes)
    {
        try
        {
            pipes.Output.CancelPendingFlush();
            pipes.Input.CancelPendingRead();
        }
        catch (ObjectDisposedException)
        {
            // Those of a TLS connection that has ended meanwhile.
        }
    }

    private async ValueTask<int> WaitAsync(Memory<byte> buffer, CancellationToken cancel)
    {
        ReadResult result;
        do
        {
            result = await transport.Input.ReadAsync(cancel).ConfigureAwait(false);
        }
        while (IsStray(in result));
        return Take(in result, buffer.Span);
    }

    /// <summary>A cancellation of before there was this stream, which says nothing; an end is none.</summary>
    private bool IsStray(in ReadResult result)
    {
        var stray = result is { IsCanceled: true, IsCompleted: false, Buffer.IsEmpty: true } && !_disposed;
        if (stray)
        {
            transport.Input.AdvanceTo(result.Buffer.Start);
        }

        return stray;
    }

    private int Take(in ReadResult result, Span<byte> buffer)
    {
        var count = (int)Math.Min(result.Buffer.Length, buffer.Length);
        var taken = result.Buffer.Slice(0, count);
        taken.CopyTo(buffer);
        transport.Input.AdvanceTo(taken.End);
        return _disposed ? throw new IOException("the connection is closed") : count;
    }
}
