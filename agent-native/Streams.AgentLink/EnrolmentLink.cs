using System.Net.Sockets;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Session;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.AgentLink;

/// <summary>What a question to the registry brought.</summary>
/// <param name="Answer">The registry's response; null when there is none.</param>
/// <param name="Error">Why the gateway did not take the question; None when it never said.</param>
/// <param name="Detail">Without an answer, one line that says why.</param>
public sealed record EnrolmentResult(ControlMessage? Answer, WireError Error, string Detail);

/// <summary>
/// One question to the registry by a key that has no identity yet, in a session of mode enrol. The request may hold a secret: it leaves only sealed, for a gateway
/// whose certificate a pinned root has signed.
/// </summary>
public static class EnrolmentLink
{
    /// <summary>Two directions and the ephemeral key.</summary>
    private const int KeySlots = 3;

    /// <param name="options">Gateway, roots and time-outs; what is about data does not matter.</param>
    /// <param name="key">The key that wants an identity; stays the caller's.</param>
    /// <param name="request">On agent.registry.</param>
    public static async Task<EnrolmentResult> AskAsync(
        AgentLinkOptions options, SigningKey key, ControlMessage request, TimeProvider? time = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(request);
        if (options.Validate() is { } error)
        {
            throw new ArgumentException(error, nameof(options));
        }

        using var arena = new KeyArena(KeySlots);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(options.ConnectTimeout + options.HandshakeTimeout + TimeSpan.FromSeconds(Wire.Limits.EnrolSeconds));
        try
        {
            using var connection = await Dialer.RunAsync(socket, options.Gateway, options, limit.Token).ConfigureAwait(false);
            using var keys = await HandshakeAsync(connection, options, key, arena, time ?? TimeProvider.System, limit.Token).ConfigureAwait(false);
            await SendAsync(connection, keys, key, options, request, limit.Token).ConfigureAwait(false);
            var result = await ReceiveAsync(connection, keys, request.Id, limit.Token).ConfigureAwait(false);
            await connection.SendCloseAsync(CloseCode.Normal, limit.Token).ConfigureAwait(false);
            return result;
        }
        catch (LinkEndedException ended)
        {
            return None(ended.End.Detail);
        }
        catch (Exception exception) when (exception is SocketException or IOException or ObjectDisposedException)
        {
            return None(exception.Message);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return None("timed out");
        }
    }

    private static async Task<HandshakeDriver.Established> HandshakeAsync(WebSocketConnection connection, AgentLinkOptions options, SigningKey key,
        KeyArena arena, TimeProvider time, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var claims = new AgentClaims((ulong)((now - DateTimeOffset.UnixEpoch).Ticks / 10), BootId.Read(), UInt128.One, 1, Catalogue.Digest.ToArray());
        var expected = new GatewayExpectations(
            options.Roots, options.GatewayName, ClockFloor.Trusts(now, options.ClockFloor) ? now.ToUnixTimeSeconds() : null);
        var keys = await HandshakeDriver.RunAsync(connection, identity: null, key, expected, claims, arena, time, cancellation).ConfigureAwait(false);
        if (RevocationList.TryParse(keys.Session.Revocations.Span, out var list) && list!.IsSignedBy(options.Roots) && list.Contains(keys.Gateway.Serial))
        {
            keys.Dispose();
            throw HandshakeDriver.Refused(RefusalReason.CertificateRevoked);
        }

        return keys;
    }

    private static async Task SendAsync(WebSocketConnection connection, HandshakeDriver.Established keys, SigningKey key, AgentLinkOptions options,
        ControlMessage request, CancellationToken cancellation)
    {
        var frame = new byte[WebSocketConnection.HeaderRoom + Math.Max(ReadyMessage.MaxBytes, MessageFrame.GetLength(request)) + FrameHeader.Overhead];
        var ready = new ReadyMessage(keys.Session.Generation, Catalogue.Version, options.AgentVersion, options.HostName);
        await SealAsync(FrameType.Ready, ready.Write(Payload())).ConfigureAwait(false);
        await SealAsync(FrameType.Message, MessageFrame.Write(request, key, keys.SessionId, keys.Sealer.NameNext(), Payload())).ConfigureAwait(false);

        Span<byte> Payload() => frame.AsSpan(WebSocketConnection.HeaderRoom + FrameHeader.Size);

        async ValueTask SealAsync(FrameType type, int payload)
        {
            var length = keys.Sealer.Seal(type, LaneClass.Control, frame.AsSpan(WebSocketConnection.HeaderRoom), payload);
            await connection.SendAsync(frame, length, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<EnrolmentResult> ReceiveAsync(
        WebSocketConnection connection, HandshakeDriver.Established keys, string id, CancellationToken cancellation)
    {
        while (true)
        {
            var frame = await connection.ReceiveAsync(cancellation).ConfigureAwait(false);
            if (frame.IsEmpty)
            {
                return None($"closed by the gateway with code {connection.CloseCode}");
            }

            if (Read(keys, frame.Span, id) is { } result)
            {
                return result;
            }
        }
    }

    /// <summary>Null when the frame is not about the request.</summary>
    private static EnrolmentResult? Read(HandshakeDriver.Established keys, Span<byte> frame, string id)
    {
        var error = keys.Opener.TryOpen(frame, out var header, out var payload);
        if (error != FrameError.None)
        {
            return None($"frame refused: {error}");
        }

        if (header.Type == FrameType.GatewayError)
        {
            return ErrorMessage.TryRead(payload, out var said) && said!.Id == id ? new EnrolmentResult(null, said.Code, said.Code.Label()) : null;
        }

        if (header.Type != FrameType.GatewayMessage)
        {
            return null;
        }

        var refused = MessageFrame.TryRead(payload, in header, keys.SessionId, keys.Gateway.PublicKey, out var message);
        return refused != WireError.None ? None($"answer refused: {refused.Label()}")
            : message!.Channel == Channels.Registry && message.Id == id ? new EnrolmentResult(message, WireError.None, "")
            : null;
    }

    private static EnrolmentResult None(string detail) => new(null, WireError.None, detail);
}
