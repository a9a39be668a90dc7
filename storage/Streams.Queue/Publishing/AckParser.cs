using System.Text.Json;

namespace Streams.Queue.Publishing;

/// <summary>Reads JetStream's publish acknowledgement: <c>{"stream":..,"seq":..,"duplicate":true}</c> or
/// <c>{"error":{"code":..,"err_code":..}}</c>, without allocating.</summary>
internal static class AckParser
{
    // err_code of nats-server's errors.json.
    private const int InsufficientResources = 10023;
    private const int StorageResourcesExceeded = 10047;
    private const int StoreFailed = 10077;

    /// <summary>False if it is no acknowledgement.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, out PublishOutcome outcome, out ulong sequence, out int errorCode)
    {
        outcome = PublishOutcome.Ambiguous;
        sequence = 0;
        errorCode = 0;
        var duplicate = false;
        var isError = false;
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName)
                    continue;
                if (reader.ValueTextEquals("error"u8))
                    isError = true;
                else if (reader.ValueTextEquals("seq"u8))
                    _ = IsNumber(ref reader) && reader.TryGetUInt64(out sequence);
                else if (reader.ValueTextEquals("err_code"u8))
                    _ = IsNumber(ref reader) && reader.TryGetInt32(out errorCode);
                else if (reader.ValueTextEquals("duplicate"u8))
                    duplicate = reader.Read() && reader.TokenType == JsonTokenType.True;
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return false;
        }

        outcome = (isError, duplicate) switch
        {
            (true, _) => Classify(errorCode),
            (_, true) => PublishOutcome.Duplicate,
            _ => PublishOutcome.Acknowledged,
        };
        return isError || sequence != 0;
    }

    // Moves on from the name to its value, whatever that is: a name can be compared, a value of another kind cannot.
    private static bool IsNumber(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.Number;

    // "Store failed" is the quota with discard-new ("maximum bytes exceeded") or a disk that refuses the write: in both cases not
    // stored, later it may be.
    private static PublishOutcome Classify(int errorCode) =>
        errorCode is InsufficientResources or StorageResourcesExceeded or StoreFailed ? PublishOutcome.QueueFull : PublishOutcome.Refused;
}
