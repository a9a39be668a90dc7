namespace Streams.Wire.Handshake;

/// <summary>First byte of a handshake message.</summary>
internal enum HandshakeType : byte
{
    Hello = 1,
    Auth = 2,
    Accept = 3,
    Refusal = 15,
}
