using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Streams.Wire;
using Streams.Wire.Crypto;

namespace Streams.AgentLink.Session;

/// <summary>
/// The client half of RFC 6455 over a connected socket, for binary messages only. By hand because WebSocket.CreateFromStream draws its
/// masks from
/// RandomNumberGenerator, which loads OpenSSL into the agent (measured: 9.4 MB resident at the first message sent), and copies every
/// message to
/// mask it. Here the caller's buffer has <see cref="HeaderRoom"/> bytes before the payload: header and mask are written in place, and one
/// send goes out.
/// <para>One sender and one receiver at a time; both may run at once.</para>
/// </summary>
internal sealed class WebSocketConnection : IDisposable
{
    /// <summary>2 + 8 (64-bit length) + 4 (mask).</summary>
    internal const int HeaderRoom = 14;

    private const int OpContinuation = 0;
    private const int OpBinary = 2;
    private const int OpClose = 8;
    private const int OpPing = 9;
    private const int OpPong = 10;
    private const int MaxControlPayload = 125;

    private readonly Stream _stream;
    private readonly Socket _socket;
    private readonly byte[] _input = new byte[4096];
    private readonly byte[] _control = new byte[HeaderRoom + MaxControlPayload];
    private byte[] _message = new byte[4096];
    private int _inputStart;
    private int _inputEnd;
    private byte[]? _ping;

    /// <summary>Over a connected socket, without TLS.</summary>
    internal WebSocketConnection(Socket socket, ReadOnlySpan<byte> early)
        : this(new NetworkStream(socket, ownsSocket: true), socket, early)
    {
    }

    /// <param name="socket">Under <paramref name="stream"/>; both are the connection's own.</param>
    /// <param name="early">Bytes that came behind the upgrade response: M1 is in the same flight.</param>
    internal WebSocketConnection(Stream stream, Socket socket, ReadOnlySpan<byte> early)
    {
        _stream = stream;
        _socket = socket;
        early.CopyTo(_input);
        _inputEnd = early.Length;
    }

    /// <summary>Set when a ping waits for <see cref="SendPongAsync"/>.</summary>
    internal bool PongDue => Volatile.Read(ref _ping) is not null;

    /// <summary>Called when <see cref="PongDue"/> became true.</summary>
    internal Action? OnPing { get; set; }

    /// <summary>Code of the peer's close frame; 1005 when it had none (RFC 6455 7.1.5); 0 while open.</summary>
    internal ushort CloseCode { get; private set; }

    /// <summary>The next binary message, valid until the next call; empty when the peer closed (see <see cref="CloseCode"/>).</summary>
    /// <exception cref="LinkEndedException">The peer broke the WebSocket protocol or a limit.</exception>
    internal async ValueTask<Memory<byte>> ReceiveAsync(CancellationToken cancellation)
    {
        var length = 0;
        var started = false;
        while (true)
        {
            if (!await FillAsync(2, cancellation).ConfigureAwait(false))
            {
                return default;
            }

            var opcode = _input[_inputStart] & 0x0f;
            var final = (_input[_inputStart] & 0x80) != 0;
            if ((_input[_inputStart] & 0x70) != 0 || (_input[_inputStart + 1] & 0x80) != 0)
            {
                throw Broken("reserved bit or masked frame from the gateway");
            }

            long size = _input[_inputStart + 1] & 0x7f;
            var extra = size == 126 ? 2 : size == 127 ? 8 : 0;
            if (!await FillAsync(2 + extra, cancellation).ConfigureAwait(false))
            {
                return default;
            }

            size = extra switch
            {
                2 => BinaryPrimitives.ReadUInt16BigEndian(_input.AsSpan(_inputStart + 2)),
                8 => (long)BinaryPrimitives.ReadUInt64BigEndian(_input.AsSpan(_inputStart + 2)),
                _ => size,
            };
            _inputStart += 2 + extra;
            if (opcode >= OpClose)
            {
                // The 64-bit form has room for a negative one.
                if (size is < 0 or > MaxControlPayload || !final)
                {
                    throw Broken("long or fragmented control frame");
                }

                if (!await ControlAsync(opcode, (int)size, cancellation).ConfigureAwait(false))
                {
                    return default;
                }

                continue;
            }

            if (opcode != (started ? OpContinuation : OpBinary) || size < 0 || size > Limits.MaxControlFrameBytes - length)
            {
                throw Broken($"unexpected opcode {opcode} or {size} bytes");
            }

            started = true;
            if (!await ReadPayloadAsync(length, (int)size, cancellation).ConfigureAwait(false))
            {
                return default;
            }

            length += (int)size;
            if (final)
            {
                return _message.AsMemory(0, length);
            }
        }
    }

    /// <summary>Sends the <paramref name="length"/> bytes at offset <see cref="HeaderRoom"/> as one binary message. The buffer's content
    /// is destroyed by masking.</summary>
    internal ValueTask SendAsync(byte[] buffer, int length, CancellationToken cancellation)
    {
        var start = Frame(OpBinary, buffer, length);
        return _stream.WriteAsync(buffer.AsMemory(start, HeaderRoom + length - start), cancellation);
    }

    internal ValueTask SendPongAsync(CancellationToken cancellation)
    {
        if (Interlocked.Exchange(ref _ping, null) is not { } payload)
        {
            return default;
        }

        payload.CopyTo(_control, HeaderRoom);
        var start = Frame(OpPong, _control, payload.Length);
        return _stream.WriteAsync(_control.AsMemory(start, HeaderRoom + payload.Length - start), cancellation);
    }

    internal ValueTask SendCloseAsync(CloseCode code, CancellationToken cancellation)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_control.AsSpan(HeaderRoom), (ushort)code);
        var start = Frame(OpClose, _control, 2);
        return _stream.WriteAsync(_control.AsMemory(start, HeaderRoom + 2 - start), cancellation);
    }

    /// <summary>Nothing more will be sent; the peer still may.</summary>
    internal void FinishSending() => _socket.Shutdown(SocketShutdown.Send);

    private static int Frame(int opcode, byte[] buffer, int length)
    {
        var extra = length < 126 ? 0 : length <= ushort.MaxValue ? 2 : 8;
        var start = HeaderRoom - 6 - extra;
        buffer[start] = (byte)(0x80 | opcode);
        buffer[start + 1] = (byte)(0x80 | (extra == 0 ? length : extra == 2 ? 126 : 127));
        if (extra == 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(start + 2), (ushort)length);
        }
        else if (extra == 8)
        {
            BinaryPrimitives.WriteUInt64BigEndian(buffer.AsSpan(start + 2), (ulong)length);
        }

        var mask = buffer.AsSpan(HeaderRoom - 4, 4);
        Entropy.Fill(mask);
        Mask(buffer.AsSpan(HeaderRoom, length), MemoryMarshal.Read<uint>(mask));
        return start;
    }

    private static void Mask(Span<byte> payload, uint mask)
    {
        var wide = ((ulong)mask << 32) | mask;
        var words = MemoryMarshal.Cast<byte, ulong>(payload);
        for (var i = 0; i < words.Length; i++)
        {
            words[i] ^= wide;
        }

        for (var i = words.Length * 8; i < payload.Length; i++)
        {
            payload[i] ^= (byte)(mask >> (i % 4 * 8));
        }
    }

    private async ValueTask<bool> ControlAsync(int opcode, int size, CancellationToken cancellation)
    {
        if (!await FillAsync(size, cancellation).ConfigureAwait(false))
        {
            return false;
        }

        var payload = _input.AsSpan(_inputStart, size);
        _inputStart += size;
        switch (opcode)
        {
            case OpClose:
                CloseCode = size >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(payload) : (ushort)1005;
                return false;
            case OpPing:
                Volatile.Write(ref _ping, payload.ToArray());
                OnPing?.Invoke();
                return true;
            case OpPong:
                return true;
            default:
                throw Broken($"unknown opcode {opcode}");
        }
    }

    /// <summary>Has at least <paramref name="count"/> bytes in the input buffer; false at the end of the stream.</summary>
    private async ValueTask<bool> FillAsync(int count, CancellationToken cancellation)
    {
        while (_inputEnd - _inputStart < count)
        {
            if (_inputStart > 0)
            {
                _input.AsSpan(_inputStart, _inputEnd - _inputStart).CopyTo(_input);
                (_inputStart, _inputEnd) = (0, _inputEnd - _inputStart);
            }

            var read = await _stream.ReadAsync(_input.AsMemory(_inputEnd), cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                return false;
            }

            _inputEnd += read;
        }

        return true;
    }

    private async ValueTask<bool> ReadPayloadAsync(int at, int size, CancellationToken cancellation)
    {
        if (_message.Length < at + size)
        {
            Array.Resize(ref _message, Math.Min(Limits.MaxControlFrameBytes, Math.Max(at + size, _message.Length * 2)));
        }

        var have = Math.Min(size, _inputEnd - _inputStart);
        _input.AsSpan(_inputStart, have).CopyTo(_message.AsSpan(at));
        _inputStart += have;
        while (have < size)
        {
            var read = await _stream.ReadAsync(_message.AsMemory(at + have, size - have), cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                return false;
            }

            have += read;
        }

        return true;
    }

    private static LinkEndedException Broken(string detail) =>
        new(new LinkEnd(LinkEndReason.Protocol, $"websocket: {detail}", Close: Wire.CloseCode.Protocol));

    public void Dispose()
    {
        // The socket first: TLS would otherwise write its goodbye, to a peer that may not take it.
        _socket.Dispose();
        _stream.Dispose();
    }
}
