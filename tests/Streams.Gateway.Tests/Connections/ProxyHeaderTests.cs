using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Numerics;
using System.Text;
using Streams.Gateway.Connections;

namespace Streams.Gateway.Tests.Connections;

public sealed class ProxyHeaderTests
{
    [Theory]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080\r\n", "192.0.2.7:40000")]
    [InlineData("PROXY TCP4 255.255.255.255 0.0.0.0 0 65535\r\n", "255.255.255.255:0")]
    [InlineData("PROXY TCP6 2001:db8::7 2001:db8::1 40000 8080\r\n", "[2001:db8::7]:40000")]
    [InlineData("PROXY UNKNOWN\r\n", null)]
    [InlineData("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", null)]
    public void A_line_names_the_source(string line, string? source)
    {
        var bytes = Encoding.ASCII.GetBytes(line + "GET /");
        Assert.Equal((ProxyHeaderState.Complete, line.Length, source), Read(bytes));
        for (var have = 0; have < line.Length; have++)
        {
            Assert.Equal(ProxyHeaderState.Incomplete, Read(bytes[..have]).State);
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("proxy TCP4 192.0.2.7 198.51.100.1 40000 8080\r\n")]
    [InlineData("PROXY  TCP4 192.0.2.7 198.51.100.1 40000 8080\r\n")]
    [InlineData("PROXY TCP5 192.0.2.7 198.51.100.1 40000 8080\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080 1\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080 \r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 040000 8080\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 65536 8080\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 40000 -1\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 +4000 8080\r\n")]
    [InlineData("PROXY TCP4 192.0.2.07 198.51.100.1 40000 8080\r\n")]
    [InlineData("PROXY TCP4 192.2 198.51.100.1 40000 8080\r\n")]
    [InlineData("PROXY TCP4 0xc0000207 198.51.100.1 40000 8080\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 host 40000 8080\r\n")]
    [InlineData("PROXY TCP4 2001:db8::7 2001:db8::1 40000 8080\r\n")]
    [InlineData("PROXY TCP6 192.0.2.7 198.51.100.1 40000 8080\r\n")]
    [InlineData("PROXY TCP6 fe80::7%1 fe80::1 40000 8080\r\n")]
    [InlineData("PROXY TCP6 [2001:db8::7] 2001:db8::1 40000 8080\r\n")]
    [InlineData("PROXY TCP4\t192.0.2.7 198.51.100.1 40000 8080\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080\n\r\n")]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXX")]
    [InlineData("\0")]
    [InlineData("PROXY UNKNOWN 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 012345\r\n")]
    public void Another_line_is_no_header(string line) => Assert.Equal(ProxyHeaderState.Malformed, Read(Encoding.ASCII.GetBytes(line)).State);

    [Fact]
    public void A_binary_header_names_the_source_and_its_checksum_must_be_right()
    {
        byte[] four = [192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0x1f, 0x90];
        byte[] six = [.. IPAddress.Parse("2001:db8::7").GetAddressBytes(), .. IPAddress.Parse("2001:db8::1").GetAddressBytes(), 0x9c, 0x40, 0x1f, 0x90];
        Complete(Binary(0x21, 0x11, four), "192.0.2.7:40000");
        Complete(Binary(0x21, 0x21, six), "[2001:db8::7]:40000");
        Complete(Binary(0x21, 0x11, [.. four, 4, 0, 2, 9, 9]), "192.0.2.7:40000");
        Complete(Binary(0x21, 0x00, []), null);
        Complete(Binary(0x20, 0x00, []), null);
        // A health check of the proxy may carry what it likes.
        Complete(Binary(0x20, 0x31, [1, 2, 3]), null);
        Complete(WithChecksum(Binary(0x21, 0x11, [.. four, 3, 0, 4, 0, 0, 0, 0])), "192.0.2.7:40000");
        var wrong = WithChecksum(Binary(0x21, 0x11, [.. four, 3, 0, 4, 0, 0, 0, 0]));
        wrong[17] ^= 1;
        Assert.Equal(ProxyHeaderState.Malformed, Read(wrong).State);
    }

    [Theory]
    [InlineData(0x11, 0x11, 12, "version 1")]
    [InlineData(0x31, 0x11, 12, "version 3")]
    [InlineData(0x22, 0x11, 12, "unknown command")]
    [InlineData(0x21, 0x12, 12, "datagram")]
    [InlineData(0x21, 0x31, 216, "local socket")]
    [InlineData(0x21, 0x41, 12, "unknown family")]
    [InlineData(0x21, 0x11, 11, "addresses cut")]
    [InlineData(0x21, 0x21, 35, "addresses cut")]
    [InlineData(0x21, 0x11, 14, "addition cut")]
    [InlineData(0x21, 0x11, 16, "addition longer than the header")]
    [InlineData(0x21, 0x11, 1025, "too long")]
    public void Another_binary_header_is_none(int command, int family, int body, string why)
    {
        var bytes = new byte[body];
        bytes.AsSpan(Math.Min(12, body)).Fill(0xff);
        Assert.True(Read(Binary((byte)command, (byte)family, bytes)).State == ProxyHeaderState.Malformed, why);
    }

    [Fact]
    public void A_checksum_of_another_size_is_no_checksum() =>
        Assert.Equal(ProxyHeaderState.Malformed, Read(Binary(0x21, 0x11, [.. new byte[12], 3, 0, 2, 0, 0])).State);

    private static void Complete(byte[] header, string? source)
    {
        byte[] bytes = [.. header, .. "GET /"u8];
        Assert.Equal((ProxyHeaderState.Complete, header.Length, source), Read(bytes));
        for (var have = 0; have < header.Length; have++)
        {
            Assert.Equal(ProxyHeaderState.Incomplete, Read(bytes[..have]).State);
        }
    }

    private static (ProxyHeaderState State, int Length, string? Source) Read(byte[] bytes)
    {
        var state = ProxyHeader.Read(new ReadOnlySequence<byte>(bytes), out var length, out var source);
        return (state, length, source?.ToString());
    }

    internal static byte[] Binary(byte command, byte family, byte[] body)
    {
        byte[] header = [.. "\r\n\r\n\0\r\nQUIT\n"u8, command, family, 0, 0, .. body];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(14), (ushort)body.Length);
        return header;
    }

    private static byte[] WithChecksum(byte[] header)
    {
        var sum = header.Aggregate(uint.MaxValue, BitOperations.Crc32C);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(header.Length - 4), ~sum);
        return header;
    }
}
