using System.IO.Pipelines;
using Streams.Gateway.Upgrade;

namespace Streams.Gateway.Tests.Upgrade;

/// <summary>What a WebSocket rests on.</summary>
public sealed class TransportStreamTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_read_of_no_bytes_waits_for_some_and_takes_none()
    {
        var pipes = new Pipes();
        await using var stream = new TransportStream(pipes);
        var waiting = stream.ReadAsync(Memory<byte>.Empty).AsTask();
        Assert.False(waiting.IsCompleted);
        await pipes.Peer.WriteAsync(new byte[] { 1, 2, 3 });
        Assert.Equal(0, await waiting.WaitAsync(Patience));
        Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty));
        var buffer = new byte[2];
        Assert.Equal(2, await stream.ReadAsync(buffer));
        Assert.Equal(new byte[] { 1, 2 }, buffer);
        Assert.Equal(1, await stream.ReadAsync(buffer));
        Assert.Equal(3, buffer[0]);
    }

    /// <summary>Who waited for the request before may have been woken by a deadline that came too late.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cancellation_of_before_is_no_end(bool beforeTheRead)
    {
        var pipes = new Pipes();
        await using var stream = new TransportStream(pipes);
        if (beforeTheRead)
        {
            pipes.Input.CancelPendingRead();
        }

        var buffer = new byte[2];
        var reading = stream.ReadAsync(buffer).AsTask();
        if (!beforeTheRead)
        {
            pipes.Input.CancelPendingRead();
        }

        await pipes.Peer.WriteAsync(new byte[] { 7 });
        Assert.Equal(1, await reading.WaitAsync(Patience));
    }

    [Fact]
    public async Task The_end_of_the_peer_is_an_end_once_everything_was_read()
    {
        var pipes = new Pipes();
        await using var stream = new TransportStream(pipes);
        await pipes.Peer.WriteAsync(new byte[] { 1 });
        await pipes.Peer.CompleteAsync();
        Assert.Equal(1, await stream.ReadAsync(new byte[2]));
        Assert.Equal(0, await stream.ReadAsync(new byte[2]));
    }

    [Fact]
    public async Task Disposing_ends_a_read_and_a_write_that_wait()
    {
        var pipes = new Pipes();
        var stream = new TransportStream(pipes);
        var reading = stream.ReadAsync(new byte[2]).AsTask();
        var writing = stream.WriteAsync(new byte[100_000]).AsTask();
        Assert.False(reading.IsCompleted || writing.IsCompleted);
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => reading.WaitAsync(Patience));
        await Assert.ThrowsAsync<IOException>(() => writing.WaitAsync(Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync(new byte[2]).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.WriteAsync(new byte[2]).AsTask());
    }

    [Fact]
    public async Task A_peer_that_reads_no_more_is_told_to_who_writes()
    {
        var pipes = new Pipes();
        await using var stream = new TransportStream(pipes);
        await stream.WriteAsync(new byte[] { 1 });
        await pipes.Taken.CompleteAsync();
        await Assert.ThrowsAsync<IOException>(() => stream.WriteAsync(new byte[] { 2 }).AsTask());
    }

    private sealed class Pipes : IDuplexPipe
    {
        private readonly Pipe _in = new();
        private readonly Pipe _out = new();

        public PipeReader Input => _in.Reader;

        public PipeWriter Output => _out.Writer;

        public PipeWriter Peer => _in.Writer;

        public PipeReader Taken => _out.Reader;
    }
}
