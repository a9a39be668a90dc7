using System.Buffers;
using System.Text;
using Streams.Wire.Frames;
using Streams.Wire.Json;
using Streams.Wire.Messages;

namespace Streams.Wire.Tests.Json;

/// <summary>The documents of <c>streams.v1.json</c>: what the gateway writes, what it reads, and by which name it refuses. PROTOCOL.md shows the same ones.</summary>
public sealed class ContentTests
{
    private static readonly UInt128 Epoch = UInt128.Parse("998877665544332211");

    public static TheoryData<byte, string> Said => new()
    {
        { (byte)FrameType.Session, """{"token":"header.claims.signature","generation":1750000000001,"gateway":"gw-1","catalogue_version":3,"catalogue_digest":"777a7d808386898c8f9295989b9ea1a4a7aaadb0b3b6b9bcbfc2c5c8cbced1d4","max_frame":262144,"max_open_lanes":64,"heartbeat_seconds":30,"session_seconds":86400,"watermarks":[{"epoch":"00000000000000000ddcb9f1ccd763b3","lane":3,"committed":17}],"revocations":""}""" },
        { (byte)FrameType.Credit, """{"control":0,"response":0,"alert":16384,"event":65536,"metric":16384,"bulk":0}""" },
        { (byte)FrameType.Watermark, """{"lanes":[{"epoch":"00000000000000000ddcb9f1ccd763b3","lane":3,"committed":18}]}""" },
        { (byte)FrameType.Rewind, """{"lanes":[{"epoch":"00000000000000000ddcb9f1ccd763b3","lane":3,"n":17}]}""" },
        { (byte)FrameType.Hold, """{"lanes":[{"epoch":"00000000000000000ddcb9f1ccd763b3","lane":3,"n":17}]}""" },
        { (byte)FrameType.GatewayHeartbeat, """{"sent_at":1750000030000000,"echo":"18446744073709551615","watermarks":[]}""" },
        { (byte)FrameType.Token, """{"token":"header.claims.signature"}""" },
        { (byte)FrameType.GatewayError, """{"code":"bad_value","channel":"agent.observability","id":"00000000000000000ddcb9f1ccd763b3-3-17","detail":"lane","retry_after":0}""" },
        { (byte)FrameType.Goodbye, """{"code":"goodbye","channel":"","id":"","detail":"drain","retry_after":1500}""" },
    };

    public static TheoryData<byte, string> Heard => new()
    {
        { (byte)FrameType.Ready, """{"generation":1750000000001,"catalogue_version":3,"agent_version":"stranger 1","host":"host-1"}""" },
        { (byte)FrameType.Want, """{"event":{"next":9000,"queued":120000},"metric":{"next":700,"queued":700}}""" },
        { (byte)FrameType.Heartbeat, """{"sent_at":1750000030000000,"policy_generation":0,"load":125,"cpu":40,"memory":312,"retained":65536,"lanes":2,"modules":[{"name":"core","state":"running","rss_kib":4096,"cpu_permille":3,"restarts":0}],"ledger":[{"class":1,"stamped":"18446744073709551615","filtered":2,"missed":0}]}""" },
        { (byte)FrameType.Error, """{"code":"unsupported","channel":"agent.control","id":"cmd-1","detail":"","retry_after":0}""" },
    };

    [Theory]
    [MemberData(nameof(Said))]
    public void What_the_gateway_says_is_the_document_of_the_protocol(byte type, string document)
    {
        var output = new ArrayBufferWriter<byte>();
        GatewayContent.Write((FrameType)type, Payload((FrameType)type), output);
        Assert.Equal(document, Encoding.UTF8.GetString(output.WrittenSpan));
        Assert.Contains(document, ProtocolDocumentTests.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Heard))]
    public void What_an_agent_says_becomes_the_payload_of_its_frame(byte type, string document)
    {
        var payload = new byte[AgentContent.MaxPayloadBytes];
        Assert.Equal(WireError.None, AgentContent.TryRead((FrameType)type, Encoding.UTF8.GetBytes(document), payload, out var length, out var field));
        Assert.Equal("", field);
        Assert.Equal(Payload((FrameType)type), payload[..length]);
        Assert.Contains(document, ProtocolDocumentTests.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FrameType.Ready, "{}", WireError.MissingField, "generation")]
    [InlineData(FrameType.Ready, """{"generation":1,"catalogue_version":1,"agent_version":"","host":"a\u0000b"}""", WireError.BadValue, "host")]
    [InlineData(FrameType.Ready, """{"generation":1,"catalogue_version":1,"agent_version":"","host":"\ud800"}""", WireError.BadValue, "host")]
    [InlineData(FrameType.Ready, """{"generation":1,"catalogue_version":70000,"agent_version":"","host":""}""", WireError.BadValue, "catalogue_version")]
    [InlineData(FrameType.Ready, """{"generation":9007199254740993,"catalogue_version":1,"agent_version":"","host":""}""", WireError.BadValue, "generation")]
    [InlineData(FrameType.Ready, """{"generation":"01","catalogue_version":1,"agent_version":"","host":""}""", WireError.BadValue, "generation")]
    [InlineData(FrameType.Ready, """{"generation":"18446744073709551616","catalogue_version":1,"agent_version":"","host":""}""", WireError.BadValue, "generation")]
    [InlineData(FrameType.Ready, """{"generation":1e3,"catalogue_version":1,"agent_version":"","host":""}""", WireError.BadValue, "generation")]
    [InlineData(FrameType.Ready, """{"generation":-1,"catalogue_version":1,"agent_version":"","host":""}""", WireError.BadValue, "generation")]
    [InlineData(FrameType.Ready, """{"generation":null,"catalogue_version":1,"agent_version":"","host":""}""", WireError.BadValue, "generation")]
    [InlineData(FrameType.Ready, """{"generation":1,"generation":1}""", WireError.DuplicateKey, "generation")]
    [InlineData(FrameType.Ready, """{"generation":1,"\u0067eneration":1}""", WireError.DuplicateKey, "generation")]
    [InlineData(FrameType.Ready, """{"generation":1,"more":1}""", WireError.UnknownField, "more")]
    [InlineData(FrameType.Ready, """{"Generation":1}""", WireError.UnknownField, "Generation")]
    [InlineData(FrameType.Ready, """{"a b\n\u0000cdefghijklmnopqrstuvwxyz0123456789":1}""", WireError.UnknownField, "a?b\\n\\u0000cdefghijklmnopqrstuvw")]
    [InlineData(FrameType.Ready, """{"\ud800":1}""", WireError.UnknownField, "\\ud800")]
    [InlineData(FrameType.Heartbeat, """{"sent_at":1,"modules":[{"name":"core","state":"\ud800"}]}""", WireError.BadValue, "modules.state")]
    [InlineData(FrameType.Ready, "[]", WireError.Malformed, "")]
    [InlineData(FrameType.Ready, "", WireError.Malformed, "")]
    [InlineData(FrameType.Ready, "{\"generation\":1", WireError.Malformed, "generation")]
    [InlineData(FrameType.Ready, """{"generation":1,"catalogue_version":1,"agent_version":"","host":""}{}""", WireError.Malformed, "host")]
    [InlineData(FrameType.Ready, """{"generation":1,"catalogue_version":1,"agent_version":"","host":"",}""", WireError.Malformed, "host")]
    [InlineData(FrameType.Ready, """{"generation":1,"catalogue_version":1,"agent_version":"","host":[[[[[]]]]]}""", WireError.BadValue, "host")]
    [InlineData(FrameType.Want, """{"events":{}}""", WireError.UnknownField, "events")]
    [InlineData(FrameType.Want, """{"event":{"next":262145,"queued":1}}""", WireError.BadValue, "want.next")]
    [InlineData(FrameType.Want, """{"event":{"next":1}}""", WireError.MissingField, "want.queued")]
    [InlineData(FrameType.Want, """{"event":5}""", WireError.BadValue, "event")]
    [InlineData(FrameType.Heartbeat, """{"load":1}""", WireError.MissingField, "sent_at")]
    [InlineData(FrameType.Heartbeat, """{"sent_at":1,"modules":[{"name":"core"}]}""", WireError.MissingField, "modules.state")]
    [InlineData(FrameType.Heartbeat, """{"sent_at":1,"modules":[{"name":"core","state":"well"}]}""", WireError.BadValue, "modules.state")]
    [InlineData(FrameType.Heartbeat, """{"sent_at":1,"modules":[5]}""", WireError.BadValue, "modules")]
    [InlineData(FrameType.Error, """{"code":"refused","id":"a b"}""", WireError.BadValue, "id")]
    public void What_is_wrong_is_refused_by_its_name(FrameType type, string document, WireError error, string field)
    {
        var payload = new byte[AgentContent.MaxPayloadBytes];
        Assert.Equal(error, AgentContent.TryRead(type, Encoding.UTF8.GetBytes(document), payload, out var length, out var named));
        Assert.Equal((field, 0), (named, length));
    }

    [Fact]
    public void More_modules_than_an_agent_has_are_too_many()
    {
        var module = """{"name":"m","state":"running"}""";
        var document = $$"""{"sent_at":1,"modules":[{{string.Join(',', Enumerable.Repeat(module, Limits.MaxModules + 1))}}]}""";
        Assert.Equal(WireError.TooLarge, AgentContent.TryRead(FrameType.Heartbeat, Encoding.UTF8.GetBytes(document), new byte[4096], out _, out var field));
        Assert.Equal("modules", field);
    }

    [Fact]
    public void An_error_of_a_later_version_is_an_error_all_the_same()
    {
        var payload = new byte[AgentContent.MaxPayloadBytes];
        Assert.Equal(WireError.None, AgentContent.TryRead(FrameType.Error, "{\"code\":\"too_old\"}"u8, payload, out var length, out _));
        Assert.True(ErrorMessage.TryRead(payload.AsSpan(0, length), out var error));
        Assert.Equal(WireError.Refused, error!.Code);
    }

    private static byte[] Payload(FrameType type)
    {
        var buffer = new byte[4096];
        LaneWatermark[] lanes = [new LaneWatermark(Epoch, 3, type == FrameType.Watermark ? 18U : 17U)];
        var wants = new ClassWant[Limits.LaneClasses];
        (wants[3], wants[4]) = (new ClassWant(9000, 120_000), new ClassWant(700, 700));
        var length = type switch
        {
            FrameType.Session => new SessionMessage
            {
                Token = "header.claims.signature"u8.ToArray(),
                Generation = 1_750_000_000_001,
                Gateway = "gw-1",
                CatalogueVersion = 3,
                CatalogueDigest = Handshake.Pair.Fill(0x77),
                Watermarks = lanes,
            }.Write(buffer),
            FrameType.Credit => CreditMessage.Write([0, 0, 16384, 65536, 16384, 0], buffer),
            FrameType.Watermark or FrameType.Rewind or FrameType.Hold => WatermarkMessage.Write(lanes, buffer),
            FrameType.GatewayHeartbeat => GatewayHeartbeatMessage.Write(1_750_000_030_000_000, ulong.MaxValue, [], buffer),
            FrameType.Token => TokenMessage.Write("header.claims.signature"u8, buffer),
            FrameType.GatewayError => new ErrorMessage(WireError.BadValue, Channels.Observability, "00000000000000000ddcb9f1ccd763b3-3-17", "lane").Write(buffer),
            FrameType.Goodbye => new GoodbyeMessage(GoodbyeReason.Drain, 1500).Write(buffer),
            FrameType.Ready => new ReadyMessage(1_750_000_000_001, 3, "stranger 1", "host-1").Write(buffer),
            FrameType.Want => WantMessage.Write(wants, buffer),
            FrameType.Error => new ErrorMessage(WireError.Unsupported, Channels.Control, "cmd-1", "").Write(buffer),
            _ => new HeartbeatMessage
            {
                SentAt = 1_750_000_030_000_000,
                LoadHundredths = 125,
                CpuPermille = 40,
                MemoryPermille = 312,
                RetainedBytes = 65_536,
                Lanes = 2,
                Modules = [new ModuleReport("core", ModuleState.Running, 4096, 3, 0)],
                Ledger = [new LedgerReport(1, ulong.MaxValue, 2, 0)],
            }.Write(buffer),
        };
        return buffer[..length];
    }
}
