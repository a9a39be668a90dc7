using System.Buffers.Text;
using System.Text.Json;
using Streams.Control.Identity;

namespace Streams.Control.Commands;

/// <summary>What carries an agent's answer on <c>agent.control</c> and through the queue: the signed answer, in base64url.</summary>
public sealed record CommandResponse(string Answer)
{
    public static byte[] Write(CommandAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return JsonSerializer.SerializeToUtf8Bytes(
            new CommandResponse(Base64Url.EncodeToString(answer.Bytes.Span)), CommandJson.Default.CommandResponse);
    }

    /// <summary>Null when it is not exactly a response with a well-formed answer.</summary>
    public static CommandAnswer? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            if (JsonSerializer.Deserialize(json, CommandJson.Default.CommandResponse) is not { Answer: { } text }
                || text.Length > Base64Url.GetEncodedLength(CommandAnswer.MaxBytes))
            {
                return null;
            }

            var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
            return CanonicalBase64.TryRead(text, bytes) && CommandAnswer.TryParse(bytes, out var answer) ? answer : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
