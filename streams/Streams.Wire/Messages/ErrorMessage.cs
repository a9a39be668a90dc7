using System.Text;

namespace Streams.Wire.Messages;

/// <summary>
/// Error (6 and 73), both directions: <c>code u16 ‖ channel u8 (0 = none) ‖ id str8 (of the message; may be empty) ‖ detail str8</c>. The detail is the name of a
/// field or of a limit, never a value: what was refused may be a secret.
/// </summary>
public sealed record ErrorMessage(WireError Code, byte Channel, string Id, string Detail)
{
    public const int MaxBytes = 2 + 1 + 1 + Limits.MaxMessageIdBytes + 1 + Limits.MaxErrorDetailBytes;

    /// <returns>Length of the payload.</returns>
    public int Write(Span<byte> destination)
    {
        var writer = new WireWriter(destination);
        writer.U16((ushort)Code);
        writer.U8(Channel);
        writer.Str8(Encoding.ASCII.GetBytes(Id));
        writer.Str8(Encoding.ASCII.GetBytes(Detail.Length <= Limits.MaxErrorDetailBytes ? Detail : Detail[..Limits.MaxErrorDetailBytes]));
        return writer.Position;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out ErrorMessage? message)
    {
        message = null;
        var reader = new WireReader(payload);
        var code = (WireError)reader.U16();
        var channel = reader.U8();
        var id = reader.Str8(Limits.MaxMessageIdBytes);
        var detail = reader.Str8(Limits.MaxErrorDetailBytes);
        // Codes of a later version are read too: what they say is that the message was not taken.
        if (!reader.AtEnd || code == WireError.None || !(id.IsEmpty || MessageId.IsValid(id)) || !WireText.IsClean(detail) || !Ascii.IsValid(detail))
        {
            return false;
        }

        message = new ErrorMessage(code, channel, Encoding.ASCII.GetString(id), Encoding.ASCII.GetString(detail));
        return true;
    }
}
