namespace Streams.Wire.Frames;

/// <summary>
/// Plaintext of a data frame = whole batches ‖ zeros up to a multiple of 256 bytes. Compressed batches of attacker-chosen text leak by
/// their length;
/// steps of 256 blur that.
/// </summary>
public static class DataPadding
{
    /// <summary>Length of the plaintext that carries <paramref name="length"/> bytes of batches.</summary>
    public static int PaddedLength(int length) => (length + Limits.PaddingBytes - 1) / Limits.PaddingBytes * Limits.PaddingBytes;

    /// <summary>True when <paramref name="plaintext"/> is padded as it must be, given that its batches end at <paramref
    /// name="end"/>.</summary>
    public static bool IsValid(ReadOnlySpan<byte> plaintext, int end) =>
        end > 0 && plaintext.Length == PaddedLength(end) && !plaintext[end..].ContainsAnyExcept((byte)0);
}
