namespace Streams.Wire.Handshake;

/// <summary>What an agent connects for.</summary>
public enum SessionMode : byte
{
    Session = 1,

    /// <summary>To get an identity. The session has one channel, agent.registry, and a few seconds.</summary>
    Enrol = 2,
}
