using System.Text.Json;

namespace Streams.Control.Commands;

/// <summary>The gateway's own word in the queue of responses: it sent the command with this id. Nobody signs it, and it ends nothing.</summary>
public sealed record CommandSent(string Sent)
{
    public static byte[] Write(CommandId id) => JsonSerializer.SerializeToUtf8Bytes(new CommandSent(id.ToString()), CommandJson.Default.CommandSent);

    public static CommandId? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, CommandJson.Default.CommandSent) is { Sent: { } text } && CommandId.TryParse(text, out var id) ? id : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
