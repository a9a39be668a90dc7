using System.Net;
using System.Net.Sockets;
using Streams.AgentLink.Session;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Bench.Wire;

/// <summary>
/// One session by hand over the parts of the real link, without its queues and threads: thousands fit into one process. Each connects from
/// a loopback address of its own, as hosts do, because the gateway counts by source.
/// </summary>
internal sealed class RawAgent : IDisposable
{
    private readonly WebSocketConnection _connection;
    private readonly HandshakeDriver.Established _session;

    private RawAgent(WebSocketConnection connection, HandshakeDriver.Established session)
    {
        _connection = connection;
        _session = session;
    }

    /// <summary>Connects, authenticates, confirms, and waits for the first credit: the gateway has claimed the session by then.</summary>
    /// <exception cref="LinkEndedException">Refused; its end names the reason and when to come again.</exception>
    public static async Task<RawAgent> ConnectAsync(Swarm swarm, int index, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(SourceOf(index), 0));
            await socket.ConnectAsync(swarm.Gateway, stop);
            var connection = await HttpUpgrade.RunAsync(socket, swarm.Gateway.ToString(), HandshakeContext.Binary, stop);
            var claims = new AgentClaims(0, 1, swarm.Epochs[index], ++swarm.Counters[index], Catalogue.Digest.ToArray());
            var established = await HandshakeDriver.RunAsync(
                connection, swarm.Identities[index], key: null, new GatewayExpectations(swarm.Options.Roots, null, null), claims, swarm.Arena,
                TimeProvider.System, stop);
            var agent = new RawAgent(connection, established);
            try
            {
                await agent.BeginAsync(swarm.Identities[index].AgentId, stop);
                return agent;
            }
            catch
            {
                agent._session.Dispose();
                throw;
            }
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>127.1.0.1 and up.</summary>
    public static IPAddress SourceOf(int index) => new([127, (byte)(1 + (index >> 14)), (byte)(index >> 7 & 127), (byte)(1 + (index & 127))]);

    /// <summary>Reads until a frame of the type comes; its payload is valid until the next call.</summary>
    public async Task<Memory<byte>> ReceiveAsync(FrameType type, CancellationToken stop)
    {
        while (true)
        {
            var frame = await _connection.ReceiveAsync(stop);
            if (frame.IsEmpty || _session.Opener.TryOpen(frame.Span, out var header, out _) != FrameError.None)
            {
                throw new LinkEndedException(new LinkEnd(LinkEndReason.Closed, $"closed with {_connection.CloseCode}"));
            }

            if (header.Type == type)
            {
                return frame.Slice(FrameHeader.Size, header.Length);
            }
        }
    }

    /// <summary>Sends one batch as a data frame.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> batch, LaneClass lane, CancellationToken stop)
    {
        var padded = (batch.Length + Streams.Wire.Limits.PaddingBytes - 1) / Streams.Wire.Limits.PaddingBytes * Streams.Wire.Limits.PaddingBytes;
        var buffer = new byte[WebSocketConnection.HeaderRoom + padded + FrameHeader.Overhead];
        batch.CopyTo(buffer.AsMemory(WebSocketConnection.HeaderRoom + FrameHeader.Size));
        var length = _session.Sealer.Seal(FrameType.Data, lane, buffer.AsSpan(WebSocketConnection.HeaderRoom), padded);
        await _connection.SendAsync(buffer, length, stop);
    }

    public void Dispose()
    {
        _session.Dispose();
        _connection.Dispose();
    }

    private async Task BeginAsync(string host, CancellationToken stop)
    {
        var buffer = new byte[WebSocketConnection.HeaderRoom + ReadyMessage.MaxBytes + FrameHeader.Overhead];
        var ready = new ReadyMessage(_session.Session.Generation, Catalogue.Version, "bench", host);
        var length = ready.Write(buffer.AsSpan(WebSocketConnection.HeaderRoom + FrameHeader.Size));
        length = _session.Sealer.Seal(FrameType.Ready, LaneClass.Control, buffer.AsSpan(WebSocketConnection.HeaderRoom), length);
        await _connection.SendAsync(buffer, length, stop);
        await ReceiveAsync(FrameType.Credit, stop);
    }
}
