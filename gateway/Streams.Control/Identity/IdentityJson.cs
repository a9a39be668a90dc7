using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Streams.Control.Identity;

/// <summary>The identity documents as JSON: an unknown, repeated or missing field is refused, as is anything behind the document.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, MaxDepth = 4)]
[JsonSerializable(typeof(RegistryRequest))]
[JsonSerializable(typeof(RegistryEvent))]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(EnrolAnswer))]
[JsonSerializable(typeof(RotateRequest))]
[JsonSerializable(typeof(RotateAnswer))]
[JsonSerializable(typeof(RegistryCall))]
[JsonSerializable(typeof(RegistryNotice))]
public sealed partial class IdentityJson : JsonSerializerContext
{
    public static byte[] Write<T>(T document, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(document, type);

    /// <summary>False for anything that is not exactly one such document of at most <see cref="IdentityLimits.MaxDocumentBytes"/>.</summary>
    public static bool TryRead<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type, [NotNullWhen(true)] out T? document)
        where T : class
    {
        document = null;
        if (utf8.Length > IdentityLimits.MaxDocumentBytes)
        {
            return false;
        }

        try
        {
            document = JsonSerializer.Deserialize(utf8, type);
        }
        catch (JsonException)
        {
            // Which field it was is the sender's to find: the document is small.
        }

        return document is not null;
    }
}
