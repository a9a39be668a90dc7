namespace Streams.Wire.Handshake;

/// <summary>What an agent connects for.</summary>
public enum SessionMode : byte
{
    Session = 1,

    /// <summary>Reserved: enrolment is refused in this version.</summary>
    Enrol = 2,
}
