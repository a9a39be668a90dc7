using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Streams.Queue;

namespace Streams.Fuzz.Targets;

/// <summary>Records of the key-value buckets: damaged ones are known as such.</summary>
internal sealed class StoreFuzz : FuzzTarget
{
    public override string Name => "store";

    public override IEnumerable<byte[]> Seeds()
    {
        var json = RecordsJson.Default;
        yield return JsonSerializer.SerializeToUtf8Bytes(new SessionRecord(1, "gateway-1", "00", default, "host", "::1"), json.SessionRecord);
        yield return JsonSerializer.SerializeToUtf8Bytes(new IdentityRecord(new string('A', 43), "host", default), json.IdentityRecord);
        yield return JsonSerializer.SerializeToUtf8Bytes(new LeaseRecord("owner", 1, default, ""), json.LeaseRecord);
        yield return JsonSerializer.SerializeToUtf8Bytes(new OffsetRecord(default, 5), json.OffsetRecord);
    }

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { "\\ud800", "null", "\"state\":\"revoked\"", "\"public_key\":null", "\"generation\":-1", "{", "}", "[" }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var json = RecordsJson.Default;
        return Try(input, json.SessionRecord) + (2 * Try(input, json.IdentityRecord)) + (4 * Try(input, json.EnrolmentRecord)) + (8 * Try(input, json.RevocationRecord))
            + (16 * Try(input, json.LeaseRecord)) + (32 * Try(input, json.OffsetRecord)) + (64 * Try(input, json.OperatorRecord)) + (128 * Try(input, json.CommandRecord));
    }

    private static int Try<T>(ReadOnlySpan<byte> input, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(input, type) is null ? 0 : 1;
        }
        catch (JsonException)
        {
            return 0;
        }
    }
}
