using Streams.Gateway.Encryption;
using Streams.Gateway.Sessions;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Channels;

/// <summary>
/// What the gateway does with each type of frame that an agent may send, apart from data, which go to the graphs still sealed. A type that has no row, or a row
/// for another stage of the session, ends the session.
/// </summary>
internal static class FrameTable
{
    /// <summary>Handles the payload; None when the session goes on.</summary>
    private delegate SessionEnd Handler(AgentSession session, ReadOnlySpan<byte> payload);

    public static SessionEnd Handle(AgentSession session, in OpenedMessage opened)
    {
        if (opened.Type == FrameType.Message)
        {
            return session.TakeMessage(in opened);
        }

        Handler? handler = opened.Type switch
        {
            // A change of key, which the opener has obeyed.
            0 => static (_, _) => SessionEnd.None,
            FrameType.Want when !session.IsEnrolling => Want,
            FrameType.Heartbeat when !session.IsEnrolling => Heartbeat,
            FrameType.Error when !session.IsEnrolling => Error,
            // Ready is the session's first frame and no other.
            _ => null,
        };
        return handler is null ? SessionEnd.Protocol : handler(session, opened.Payload);
    }

    private static SessionEnd Error(AgentSession session, ReadOnlySpan<byte> payload) =>
        ErrorMessage.TryRead(payload, out var error) ? session.NotTaken(error!) : SessionEnd.Protocol;

    private static SessionEnd Want(AgentSession session, ReadOnlySpan<byte> payload)
    {
        Span<ClassWant> wants = stackalloc ClassWant[Wire.Limits.LaneClasses];
        if (!WantMessage.TryRead(payload, wants))
        {
            return SessionEnd.Protocol;
        }

        session.Want(wants);
        return SessionEnd.None;
    }

    private static SessionEnd Heartbeat(AgentSession session, ReadOnlySpan<byte> payload)
    {
        if (!HeartbeatMessage.TryRead(payload, out var heartbeat))
        {
            return SessionEnd.Protocol;
        }

        session.HeartbeatHeard(heartbeat!);
        return SessionEnd.None;
    }
}
