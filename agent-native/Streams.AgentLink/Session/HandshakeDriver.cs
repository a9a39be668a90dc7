using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Session;

/// <summary>Drives <see cref="AgentHandshake"/> over a fresh connection, up to and including F0.</summary>
internal static class HandshakeDriver
{
    /// <summary>What a finished handshake gives: owns the keys until a session takes them.</summary>
    /// <param name="Gateway">Its messages are verified with the certificate's key.</param>
    internal sealed record Established(SessionMessage Session, FrameSealer Sealer, FrameOpener Opener, byte[] SessionId, FleetCertificate Gateway) : IDisposable
    {
        public void Dispose()
        {
            Sealer.Dispose();
            Opener.Dispose();
        }
    }

    /// <param name="identity">Null: mode enrol, with <paramref name="key"/>.</param>
    /// <param name="expected">With dates null they are not checked.</param>
    /// <exception cref="LinkEndedException">Refused by either side.</exception>
    internal static async Task<Established> RunAsync(WebSocketConnection connection, AgentIdentity? identity, SigningKey? key,
        GatewayExpectations expected, AgentClaims claims, KeyArena arena, TimeProvider time, CancellationToken cancellation)
    {
        AgentHandshake? handshake;
        Check(identity is not null ? AgentHandshake.TryStart(identity, HandshakeContext.Binary, arena, out handshake)
            : AgentHandshake.TryStartEnrolment(key!, HandshakeContext.Binary, arena, out handshake));
        using (handshake)
        {
            var hello = await ReceiveAsync(connection, cancellation).ConfigureAwait(false);
            var buffer = new byte[WebSocketConnection.HeaderRoom + AgentHandshake.MaxAuthBytes];
            Check(handshake!.ReadHello(hello.Span, in expected, in claims, buffer.AsSpan(WebSocketConnection.HeaderRoom), out var written));
            await connection.SendAsync(buffer, written, cancellation).ConfigureAwait(false);
            var accept = await ReceiveAsync(connection, cancellation).ConfigureAwait(false);
            Check(handshake.ReadAccept(accept.Span, out var keys));
            return await ConfirmAsync(connection, keys!, handshake.Gateway!, time, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<Established> ConfirmAsync(
        WebSocketConnection connection, SessionKeys keys, FleetCertificate gateway, TimeProvider time, CancellationToken cancellation)
    {
        var sessionId = keys.SessionId.ToArray();
        var sealer = new FrameSealer(keys, time);
        var opener = new FrameOpener(keys, fromAgent: false);
        try
        {
            var frame = await ReceiveAsync(connection, cancellation).ConfigureAwait(false);
            var error = opener.TryOpen(frame.Span, out var header, out var plaintext);
            if (error == FrameError.None && header.Type == FrameType.Goodbye && GoodbyeMessage.TryRead(plaintext, out var goodbye))
            {
                // The agent was let in, but what is behind the gateway does not answer now.
                throw new LinkEndedException(LinkEnd.Of(goodbye));
            }

            if (error != FrameError.None || header.Type != FrameType.Session || !SessionMessage.TryRead(plaintext, out var session))
            {
                throw Refused(RefusalReason.NotConfirmed);
            }

            return new Established(session!, sealer, opener, sessionId, gateway);
        }
        catch
        {
            sealer.Dispose();
            opener.Dispose();
            throw;
        }
    }

    private static async ValueTask<Memory<byte>> ReceiveAsync(WebSocketConnection connection, CancellationToken cancellation)
    {
        var message = await connection.ReceiveAsync(cancellation).ConfigureAwait(false);
        return message.IsEmpty ? throw Refused(RefusalReason.Disconnected) : message;
    }

    private static void Check(RefusalReason reason)
    {
        if (reason != RefusalReason.None)
        {
            throw Refused(reason);
        }
    }

    internal static LinkEndedException Refused(RefusalReason reason) =>
        new(new LinkEnd(LinkEndReason.Refused, $"handshake: {reason}", reason, Close: CloseCode.Refused));
}
