using Streams.Wire.Frames;

namespace Streams.Gateway.Connections;

/// <summary>Writes the payload of a state when it is sent.</summary>
internal interface IFrameSource
{
    /// <summary>Room that the payload needs at most.</summary>
    int MaxPayload(FrameType state);

    /// <summary>Writes the payload; -1 when there is nothing to say after all.</summary>
    int WritePayload(FrameType state, Span<byte> payload);

    /// <summary>Nothing can be sent any more, by a fault of the gateway: the session must end. Called at most once.</summary>
    void SendFailed(Exception fault);
}
