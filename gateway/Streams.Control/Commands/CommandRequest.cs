using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Streams.Control.Commands;

/// <summary>What carries a command to an agent on <c>agent.control</c>: the signed document, in base64url.</summary>
public sealed record CommandRequest(string Command)
{
    public static byte[] Write(ReadOnlySpan<byte> document) =>
        JsonSerializer.SerializeToUtf8Bytes(new CommandRequest(Base64Url.EncodeToString(document)), CommandJson.Default.CommandRequest);

    /// <summary>Null when it is not exactly a request with a well-formed document.</summary>
    public static CommandDocument? Read(ReadOnlySpan<byte> json) => CommandDocument.TryParse(Carried(json), out var document) ? document : null;

    /// <summary>What is carried, be it a command or not; empty when this is no request.</summary>
    public static byte[] Carried(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, CommandJson.Default.CommandRequest) is { Command: { } text }
                && text.Length <= Base64Url.GetEncodedLength(CommandLimits.MaxDocumentBytes) && Base64Url.IsValid(text)
                ? Base64Url.DecodeFromChars(text) : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(CommandRequest))]
[JsonSerializable(typeof(CommandResponse))]
[JsonSerializable(typeof(CommandSent))]
internal sealed partial class CommandJson : JsonSerializerContext;
