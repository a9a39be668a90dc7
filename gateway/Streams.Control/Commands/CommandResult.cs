using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Streams.Control.Commands;

/// <summary>What a command gives: any JSON of at most <see cref="CommandLimits.MaxResultBytes"/> and <see cref="CommandLimits.MaxResultDepth"/>.</summary>
public static class CommandResult
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = CommandLimits.MaxResultDepth, AllowDuplicateProperties = false };

    /// <summary>
    /// Writes a result again, so that what is kept is what every reader of JSON takes: the parser lets half a surrogate pair pass that no writer does, and who asks
    /// for the command later must not pay for what an agent said. Null when it is none.
    /// </summary>
    public static string? Normalise(ReadOnlySpan<byte> json)
    {
        // The parser looks at what is UTF-8 only when a string is read.
        if (json.Length > CommandLimits.MaxResultBytes || !Utf8.IsValid(json))
        {
            return null;
        }

        var written = new ArrayBufferWriter<byte>(json.Length + 1);
        try
        {
            using var document = JsonDocument.Parse(json.ToArray(), Strict);
            using var writer = new Utf8JsonWriter(written, Relaxed);
            document.WriteTo(writer);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }

        return written.WrittenCount > CommandLimits.MaxResultBytes ? null : Encoding.UTF8.GetString(written.WrittenSpan);
    }
}
