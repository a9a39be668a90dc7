using System.IO.Compression;
using System.Net.Http.Headers;
using K4os.Compression.LZ4.Streams;

namespace Streams.ClickHouse.Embedded.Tests;

[Collection(SharedServer.Name)]
public sealed class CompressionTests(SharedServer shared)
{
    private readonly ServerProcess _server = shared.Server;

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("zstd")]
    [InlineData("lz4")]
    public async Task Rows_come_compressed(string encoding)
    {
        await _server.QueryAsync($"CREATE TABLE packed_{encoding} (id UInt64, s String) ENGINE = MergeTree ORDER BY id");
        var block = new NativeBlock(200_000).UInt64("id", i => (ulong)i).String("s", i => BitConverter.GetBytes(i)).ToArray();
        using var response = await _server.PostAsync($"query=INSERT+INTO+packed_{encoding}+FORMAT+Native", Content(encoding, block));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        Assert.Equal("200000\t19999900000", await _server.QueryAsync($"SELECT count(), sum(id) FROM packed_{encoding}"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("zstd")]
    [InlineData("lz4")]
    public async Task Query_and_rows_come_compressed_together(string encoding)
    {
        await _server.QueryAsync($"CREATE TABLE whole_{encoding} (id UInt64) ENGINE = Memory");
        using var response = await _server.PostAsync("", Content(encoding, [.. System.Text.Encoding.ASCII.GetBytes($"INSERT INTO whole_{encoding} FORMAT TSV\n1\n2\n")]));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        Assert.Equal("2", await _server.QueryAsync($"SELECT count() FROM whole_{encoding}"));
    }

    [Theory]
    [InlineData("gzip", 10)]
    [InlineData("deflate", 10)]
    [InlineData("br", 10)]
    [InlineData("zstd", 10)]
    [InlineData("lz4", 10)]
    [InlineData("gzip", 2_000_000)]
    [InlineData("deflate", 2_000_000)]
    [InlineData("br", 2_000_000)]
    [InlineData("zstd", 2_000_000)]
    [InlineData("lz4", 2_000_000)]
    public async Task Answers_go_compressed(string encoding, int rows)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/?enable_http_compression=1")
        {
            Content = new StringContent($"SELECT number FROM numbers({rows}) ORDER BY number FORMAT RowBinary"),
        };
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue(encoding));
        using var response = await _server.Http.SendAsync(request);
        Assert.Equal(encoding, Assert.Single(response.Content.Headers.ContentEncoding));
        using var plain = new MemoryStream();
        await using (var decoder = Decoder(encoding, await response.Content.ReadAsStreamAsync()))
            await decoder.CopyToAsync(plain);
        Assert.Equal(8 * rows, plain.Length);
        Assert.Equal((ulong)(rows - 1), BitConverter.ToUInt64(plain.GetBuffer(), (int)plain.Length - 8));
    }

    [Theory]
    [InlineData("/", "gzip")]
    [InlineData("/?enable_http_compression=0", "gzip")]
    [InlineData("/?enable_http_compression=1", "gzip;q=0, snappy")]
    public async Task Answers_stay_plain_unless_asked(string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("SELECT 1") };
        request.Headers.TryAddWithoutValidation("Accept-Encoding", accept);
        using var response = await _server.Http.SendAsync(request);
        Assert.Empty(response.Content.Headers.ContentEncoding);
        Assert.Equal("1\n", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("snappy")]
    [InlineData("br")]
    [InlineData("gzip, gzip")]
    [InlineData("nonsense")]
    public async Task Unknown_encoding_is_named_an_error(string encoding)
    {
        var content = new ByteArrayContent([1, 2, 3]);
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        using var response = await _server.PostAsync("", content);
        Assert.Contains("zstd", await ServerProcess.ErrorAsync(501, 48, response));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("zstd")]
    [InlineData("lz4")]
    public async Task Broken_or_cut_bodies_write_nothing(string encoding)
    {
        await _server.QueryAsync($"CREATE TABLE broken_{encoding} (id UInt64) ENGINE = MergeTree ORDER BY id");
        var random = new Random(1);
        var packed = await Content(encoding, [.. System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 200_000).Select(_ => $"{random.Next()}\n")))]).ReadAsByteArrayAsync();
        foreach (var bytes in (byte[][])[packed[..(packed.Length / 2)], [.. Enumerable.Repeat((byte)0x5A, 1000)]])
        {
            var content = new ByteArrayContent(bytes);
            content.Headers.ContentEncoding.Add(encoding);
            using var response = await _server.PostAsync($"query=INSERT+INTO+broken_{encoding}+FORMAT+TSV", content);
            await ServerProcess.ErrorAsync(500, 271, response);
        }

        Assert.Equal("0", await _server.QueryAsync($"SELECT count() FROM broken_{encoding}"));
    }

    private static ByteArrayContent Content(string encoding, byte[] plain)
    {
        using var packed = new MemoryStream();
        using (Stream encoder = encoding switch
        {
            "gzip" => new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "zstd" => new ZstdSharp.CompressionStream(packed, leaveOpen: true),
            _ => LZ4Stream.Encode(packed, leaveOpen: true),
        })
            encoder.Write(plain);
        var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentEncoding.Add(encoding);
        return content;
    }

    private static Stream Decoder(string encoding, Stream packed) => encoding switch
    {
        "gzip" => new GZipStream(packed, CompressionMode.Decompress),
        "deflate" => new ZLibStream(packed, CompressionMode.Decompress),
        "br" => new BrotliStream(packed, CompressionMode.Decompress),
        "zstd" => new ZstdSharp.DecompressionStream(packed),
        _ => LZ4Stream.Decode(packed),
    };
}
