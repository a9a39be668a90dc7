namespace Streams.Wire.Handshake;

/// <summary>Instead of M3: <c>type=15 ‖ code u8=1</c>. One code and one length for every reason, so that an outsider learns
/// nothing.</summary>
public static class RefusalMessage
{
    public const int Length = 2;

    /// <summary>The only refusal there is; followed by <see cref="CloseCode.Refused"/>.</summary>
    public static ReadOnlySpan<byte> Bytes => [(byte)HandshakeType.Refusal, 1];
}
