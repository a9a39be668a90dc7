using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Streams.Control.Commands;

/// <summary>
/// An agent's word about a command, a response on <c>agent.control</c>; the message's signature is the agent's. An agent may say the same
/// twice, after a reconnect, and says of a command it knows how it ended and nothing else.
/// </summary>
/// <param name="Command">The id, 32 hex digits.</param>
/// <param name="Digest">base64url of the document's digest: which command was meant. Empty when the document could not be read.</param>
/// <param name="State">received, started, finished, failed, expired, refused or unknown; sent is the gateway's own word.</param>
/// <param name="At">The agent's clock, µs since 1970.</param>
/// <param name="Detail">Why; one of <see cref="CommandRefusal"/> in snake_case for refused.</param>
/// <param name="Result">Any JSON, of a finished command; at most <see cref="CommandLimits.MaxResultDepth"/> deep.</param>
public sealed record CommandEvent(string Command, string Digest, CommandState State, ulong At, string Detail = "", JsonElement? Result = null)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static CommandEvent Of(CommandDocument document, CommandState state, ulong at, string detail = "", JsonElement? result = null)
    {
        ArgumentNullException.ThrowIfNull(document);
        return new CommandEvent(document.Id.ToString(), Base64Url.EncodeToString(document.Digest), state, at, detail, result);
    }

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, CommandJson.Default.CommandEvent);

    /// <summary>Checks form and bounds; whether the agent may speak of this command is for who knows the command to say.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, [NotNullWhen(true)] out CommandEvent? word)
    {
        word = null;
        try
        {
            word = JsonSerializer.Deserialize(json, CommandJson.Default.CommandEvent);
        }
        catch (JsonException)
        {
            return false;
        }

        if (word is null || !CommandId.TryParse(word.Command, out _) || word.State < CommandState.Sent || !Enum.IsDefined(word.State)
            || word.Digest.Length is not (0 or 43) || !IsDetail(word.Detail) || !TryNormalise(word.Result, out var result))
        {
            word = null;
            return false;
        }

        word = word with { Result = result };
        return true;
    }

    /// <summary>
    /// Writes a result again, so that what is kept is what every reader of JSON takes: the parser lets half a surrogate pair pass that no writer does, and who asks
    /// for the command later must not pay for what an agent said.
    /// </summary>
    private static bool TryNormalise(JsonElement? result, out JsonElement? normal)
    {
        normal = null;
        if (result is not { } element)
        {
            return true;
        }

        if (element.GetRawText().Length > CommandLimits.MaxResultBytes)
        {
            return false;
        }

        var written = new ArrayBufferWriter<byte>();
        try
        {
            using var writer = new Utf8JsonWriter(written, Relaxed);
            element.WriteTo(writer);
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException)
        {
            return false;
        }

        if (written.WrittenCount > CommandLimits.MaxResultBytes)
        {
            return false;
        }

        using var document = JsonDocument.Parse(written.WrittenMemory);
        normal = document.RootElement.Clone();
        return true;
    }

    private static bool IsDetail(string detail)
    {
        Span<byte> utf8 = stackalloc byte[CommandLimits.MaxDetailBytes];
        return System.Text.Encoding.UTF8.TryGetBytes(detail, utf8, out var written) && Wire.Messages.WireText.IsClean(utf8[..written]);
    }
}
