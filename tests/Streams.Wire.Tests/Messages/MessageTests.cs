using FsCheck.Xunit;
using Streams.Wire.Messages;

namespace Streams.Wire.Tests.Messages;

/// <summary>What is written is read; what is not exactly that is refused, whatever the bytes.</summary>
public sealed class MessageTests
{
    private static SessionMessage Session { get; } = new()
    {
        Generation = 9,
        Token = "a.b.c"u8.ToArray(),
        Revocations = new byte[90],
        Gateway = "gw-1",
        CatalogueVersion = 1,
        CatalogueDigest = new byte[32],
        Watermarks = [new LaneWatermark(1, 2, 3), new LaneWatermark(UInt128.MaxValue, uint.MaxValue, uint.MaxValue)],
    };

    private static HeartbeatMessage Heartbeat { get; } = new()
    {
        SentAt = 1,
        PolicyGeneration = 2,
        LoadHundredths = 3,
        CpuPermille = 4,
        MemoryPermille = 5,
        RetainedBytes = 6,
        Lanes = 7,
        Modules = [new ModuleReport("core", ModuleState.Running, 8, 9, 10), new ModuleReport("telemetry", ModuleState.Degraded, 1, 2, 3)],
        Ledger = [new LedgerReport(1, 2, 3, 4)],
    };

    public static TheoryData<string> Kinds =>
        ["session", "ready", "want", "credit", "watermark", "goodbye", "heartbeat", "token", "error", "gateway heartbeat"];

    [Fact]
    public void SessionRoundTrips()
    {
        Assert.True(SessionMessage.TryRead(Make("session"), out var read));
        Assert.Equal(
            Session with { Watermarks = read!.Watermarks, CatalogueDigest = read.CatalogueDigest, Token = read.Token, Revocations = read.Revocations }, read);
        Assert.Equal(Session.Token.ToArray(), read.Token.ToArray());
        Assert.Equal(Session.Revocations.ToArray(), read.Revocations.ToArray());
        Assert.Equal(Session.Watermarks, read.Watermarks);
    }

    [Fact]
    public void HeartbeatRoundTrips()
    {
        Assert.True(HeartbeatMessage.TryRead(Make("heartbeat"), out var read));
        Assert.Equal(Heartbeat with { Modules = read!.Modules, Ledger = read.Ledger }, read);
        Assert.Equal(Heartbeat.Modules, read.Modules);
        Assert.Equal(Heartbeat.Ledger, read.Ledger);
    }

    [Fact]
    public void TheLargestMessagesFitTheirBounds()
    {
        var heartbeat = new HeartbeatMessage
        {
            Modules = [.. Enumerable.Repeat(new ModuleReport(new string('m', 32), ModuleState.Failed, 1, 1, 1), Limits.MaxModules)],
            Ledger = [.. Enumerable.Repeat(new LedgerReport(1, 1, 1, 1), Limits.MaxLedgerEntries)],
        };
        Assert.Equal(HeartbeatMessage.MaxBytes, heartbeat.Write(new byte[HeartbeatMessage.MaxBytes]));
        var session = Session with
        {
            Gateway = new string('g', 63),
            Watermarks = new LaneWatermark[Limits.MaxWatermarks],
            Token = Enumerable.Repeat((byte)'t', Limits.MaxTokenBytes).ToArray(),
            Revocations = new byte[Wire.Handshake.RevocationList.MaxBytes]
        };
        Assert.InRange(session.Length, 1, Limits.MaxControlFrameBytes - Wire.Frames.FrameHeader.Overhead);
        var bytes = new byte[session.Length];
        Assert.Equal(bytes.Length, session.Write(bytes));
        Assert.True(SessionMessage.TryRead(bytes, out _));
        Assert.InRange(GatewayHeartbeatMessage.GetLength(Limits.MaxWatermarks), 1, Limits.MaxControlFrameBytes - Wire.Frames.FrameHeader.Overhead);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EveryTruncationAndExtensionIsRefused(string kind)
    {
        var message = Make(kind);
        Assert.True(Read(kind, message), kind);
        for (var length = 0; length < message.Length + 30; length++)
        {
            var other = message.ToArray();
            Array.Resize(ref other, length);
            Assert.Equal(length == message.Length, Read(kind, other));
        }
    }

    /// <summary>Hostile bytes: refused or read, never a fault and never an allocation beyond the bounds.</summary>
    [Property(MaxTest = 2000)]
    public void HostileBytesNeverFault(byte[] bytes)
    {
        foreach (var row in Kinds)
        {
            Read(row, bytes ?? []);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void MutatedMessagesNeverFault(string kind)
    {
        var random = new Random(kind.Length);
        var message = Make(kind);
        for (var i = 0; i < 20_000; i++)
        {
            var mutant = message.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
            {
                mutant[random.Next(mutant.Length)] = (byte)(random.Next(3) switch { 0 => 0xff, 1 => 0, _ => random.Next(256) });
            }

            Read(kind, mutant);
        }
    }

    [Fact]
    public void AHugeCountCostsNothing()
    {
        var message = Make("session");
        var count = 2 + 90 + 2 * 24 + 2;
        message[^count] = 0xff;
        message[^(count - 1)] = 0xff;
        SessionMessage.TryRead(message, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Assert.False(SessionMessage.TryRead(message, out _));
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100);
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\u007fb")]
    public void ControlCharactersInTextAreRefused(string host)
    {
        var bytes = new byte[ReadyMessage.MaxBytes];
        var length = new ReadyMessage(1, 1, "v", host).Write(bytes);
        Assert.False(ReadyMessage.TryRead(bytes.AsSpan(0, length), out _));
    }

    [Fact]
    public void InvalidUtf8IsRefused()
    {
        var bytes = new byte[ReadyMessage.MaxBytes];
        var length = new ReadyMessage(1, 1, "v", "host").Write(bytes);
        bytes[length - 1] = 0xff;
        Assert.False(ReadyMessage.TryRead(bytes.AsSpan(0, length), out _));
    }

    private static byte[] Make(string kind)
    {
        var bytes = new byte[8192];
        var length = kind switch
        {
            "session" => Session.Write(bytes),
            "ready" => new ReadyMessage(5, 1, "0.1", "host").Write(bytes),
            "want" => WantMessage.Write(new ClassWant[Limits.LaneClasses], bytes),
            "credit" => CreditMessage.Write(new ulong[Limits.LaneClasses], bytes),
            "watermark" => WatermarkMessage.Write([new LaneWatermark(1, 2, 3)], bytes),
            "goodbye" => new GoodbyeMessage(GoodbyeReason.Drain, 7).Write(bytes),
            "heartbeat" => Heartbeat.Write(bytes),
            "token" => TokenMessage.Write("a.b.c"u8, bytes),
            "error" => new ErrorMessage(WireError.UnknownField, 3, "id-1", "field").Write(bytes),
            _ => GatewayHeartbeatMessage.Write(1, 2, [new LaneWatermark(1, 2, 3)], bytes),
        };
        return bytes[..length];
    }

    private static bool Read(string kind, byte[] bytes) => kind switch
    {
        "session" => SessionMessage.TryRead(bytes, out _),
        "ready" => ReadyMessage.TryRead(bytes, out _),
        "want" => WantMessage.TryRead(bytes, new ClassWant[Limits.LaneClasses]),
        "credit" => CreditMessage.TryRead(bytes, new ulong[Limits.LaneClasses]),
        "watermark" => WatermarkMessage.TryRead(bytes, new LaneWatermark[Limits.MaxWatermarks], out _),
        "goodbye" => GoodbyeMessage.TryRead(bytes, out _),
        "heartbeat" => HeartbeatMessage.TryRead(bytes, out _),
        "token" => TokenMessage.TryRead(bytes, out _),
        "error" => ErrorMessage.TryRead(bytes, out _),
        _ => GatewayHeartbeatMessage.TryRead(bytes, new LaneWatermark[Limits.MaxWatermarks], out _, out _, out _),
    };
}
