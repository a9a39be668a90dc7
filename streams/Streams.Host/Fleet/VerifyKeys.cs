using System.Buffers.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Proof;

namespace Streams.Host.Fleet;

/// <summary>
/// The keys that `streams verify` takes for an agent's. Those that were given, or that the registry's bucket has, are tried first; those of rows are as good as who
/// may write rows, so whether one was needed is kept.
/// </summary>
/// <param name="Source">given, registry, or rows when there were none but those.</param>
/// <param name="Known">Given, or of the bucket.</param>
/// <param name="OfRows">Further ones, of agent_identity.</param>
internal sealed record VerifyKeys(string Source, IReadOnlyList<byte[]> Known, IReadOnlyList<byte[]> OfRows)
{
    public bool IsEmpty => Known.Count + OfRows.Count == 0;

    /// <summary>A signature fitted a key that only rows name.</summary>
    public bool RowsUsed { get; private set; }

    public IEnumerable<string> Texts => Known.Concat(OfRows).Select(key => Base64Url.EncodeToString(key));

    public static VerifyKeys Given(IReadOnlyList<byte[]> keys) => new("given", keys, []);

    /// <param name="bucket">Of the registry; empty when it was not at hand, or does not know the agent.</param>
    public static VerifyKeys Of(IReadOnlyList<string> bucket, IReadOnlyList<string> rows) => new(
        bucket.Count > 0 ? "registry" : "rows", [.. bucket.Select(Parse).OfType<byte[]>()], [.. rows.Distinct().Except(bucket).Select(Parse).OfType<byte[]>()]);

    /// <summary>Null when the text is no key.</summary>
    public static byte[]? Parse(string text)
    {
        Span<byte> bytes = stackalloc byte[SigningKey.PublicKeySize];
        return text.Length == 43 && Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, bytes, out var written) && written == bytes.Length ? bytes.ToArray() : null;
    }

    public bool Verify(ReadOnlySpan<byte> checkpoint, ReadOnlySpan<byte> signature)
    {
        if (Fits(Known, checkpoint, signature))
        {
            return true;
        }
        var fits = Fits(OfRows, checkpoint, signature);
        RowsUsed |= fits;
        return fits;
    }

    private static bool Fits(IReadOnlyList<byte[]> keys, ReadOnlySpan<byte> checkpoint, ReadOnlySpan<byte> signature)
    {
        foreach (var key in keys)
        {
            if (BatchProofSignature.Verify(key, checkpoint, signature))
            {
                return true;
            }
        }
        return false;
    }
}
