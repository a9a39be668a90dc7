using System.IO.Compression;
using K4os.Compression.LZ4;
using K4os.Compression.LZ4.Streams;
using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>Content-Encoding names of ClickHouse's HTTP interface and their codecs; <c>deflate</c> is zlib, as RFC 9110 says.</summary>
internal static class ContentEncodings
{
    // What costs the engine's machine least comes first; a client that wants another names only that.
    private static readonly string[] Preferred = ["zstd", "lz4", "gzip", "deflate", "br"];

    /// <summary>The decoded body; null with an error when the encoding is not known.</summary>
    public static Stream? Decode(string encoding, Stream body, out EngineError? error)
    {
        error = null;
        switch (encoding.Trim().ToLowerInvariant())
        {
            case "" or "identity":
                return body;
            case "gzip" or "x-gzip":
                return new TrailerCheckedStream(body, isGzip: true);
            case "deflate":
                return new TrailerCheckedStream(body, isGzip: false);
            case "zstd":
                return new ZstdSharp.DecompressionStream(body, leaveOpen: true);
            case "lz4":
                return LZ4Stream.Decode(body, leaveOpen: true);
            default:
                error = EngineError.Raise(
                    EngineError.NotImplemented, "NOT_IMPLEMENTED",
                    "Unknown compression method in Content-Encoding. Only 'gzip', 'deflate', 'zstd', 'lz4' are supported, one at a time");
                return null;
        }
    }

    /// <summary>The first encoding that both sides know; null for none.</summary>
    public static string? Choose(string acceptEncoding)
    {
        foreach (var encoding in Preferred)
        {
            foreach (var range in acceptEncoding.AsSpan().Split(','))
            {
                var item = acceptEncoding.AsSpan(range).Trim();
                var semicolon = item.IndexOf(';');
                var name = semicolon < 0 ? item : item[..semicolon].TrimEnd();
                var refused = semicolon >= 0 && item[(semicolon + 1)..].Trim() is "q=0" or "q=0.0" or "q=0.00" or "q=0.000";
                if (!refused && name.Equals(encoding, StringComparison.OrdinalIgnoreCase))
                    return encoding;
            }
        }

        return null;
    }

    /// <summary>Levels are ClickHouse's default for HTTP (3) where the codec has levels like that.</summary>
    public static Stream Encode(string? encoding, Stream body) => encoding switch
    {
        null => body,
        "gzip" => new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true),
        "deflate" => new ZLibStream(body, CompressionLevel.Fastest, leaveOpen: true),
        "br" => new BrotliStream(body, CompressionLevel.Fastest, leaveOpen: true),
        "zstd" => new ZstdSharp.CompressionStream(body, level: 3, leaveOpen: true),
        "lz4" => LZ4Stream.Encode(body, LZ4Level.L00_FAST, leaveOpen: true),
        _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, "not one of Choose"),
    };
}
