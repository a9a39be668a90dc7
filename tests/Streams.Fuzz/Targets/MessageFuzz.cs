using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Fuzz.Targets;

/// <summary>The payload of every type of frame that is not data; the first byte says which. What is read is written again as it was.</summary>
internal sealed class MessageFuzz : FuzzTarget
{
    private readonly SigningKey _key = SigningKey.FromSeed(new byte[32]);
    private readonly byte[] _written = new byte[Limits.MaxControlFrameBytes];
    private readonly LaneWatermark[] _watermarks = new LaneWatermark[Limits.MaxWatermarks];

    public override string Name => "message";

    public override IEnumerable<byte[]> Seeds()
    {
        var wants = new ClassWant[Limits.LaneClasses];
        wants[2] = new ClassWant(300, 900);
        ulong[] credit = [1, 2, 3, 4, 5, 6];
        LaneWatermark[] marks = [new(1, 2, 3), new(1, 3, 4)];
        yield return Seed(FrameType.Ready, to => new ReadyMessage(7, 1, "0.1", "host").Write(to));
        yield return Seed(FrameType.Want, to => WantMessage.Write(wants, to));
        yield return Seed(FrameType.Credit, to => CreditMessage.Write(credit, to));
        yield return Seed(FrameType.Watermark, to => WatermarkMessage.Write(marks, to));
        yield return Seed(FrameType.GatewayHeartbeat, to => GatewayHeartbeatMessage.Write(1, 2, marks, to));
        yield return Seed(FrameType.Goodbye, to => new GoodbyeMessage(GoodbyeReason.Drain, 5).Write(to));
        yield return Seed(FrameType.Token, to => TokenMessage.Write("a.b.c"u8, to));
        yield return Seed(FrameType.Error, to => new ErrorMessage(WireError.BadValue, 4, "id", "field").Write(to));
        yield return Seed(FrameType.Heartbeat, to => new HeartbeatMessage
        {
            SentAt = 1,
            Modules = [new ModuleReport("core", ModuleState.Running, 5, 6, 7)],
            Ledger = [new LedgerReport(1, 2, 3, 4)],
        }.Write(to));
        yield return Seed(FrameType.Session, to => new SessionMessage
        {
            Token = "a.b.c"u8.ToArray(),
            Generation = 9,
            Gateway = "gateway-1",
            CatalogueVersion = 1,
            CatalogueDigest = new byte[32],
            Watermarks = marks,
            Revocations = new byte[20],
        }.Write(to));
        yield return Seed(FrameType.Message, to => MessageFrame.Write(
            new ControlMessage(MessageType.Response, Channels.Control, "cmd-1", "core", 1, "{}"u8.ToArray()), _key, true, new byte[16], (0, 0), to));
        yield return Seed(FrameType.GatewayMessage, to => MessageFrame.Write(
            new ControlMessage(MessageType.Request, Channels.Control, "cmd-1", "core", 1, "{}"u8.ToArray()), _key, false, new byte[16], (0, 0), to));
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return 0;
        }

        var type = (FrameType)input[0];
        var payload = input[1..];
        var length = type switch
        {
            FrameType.Ready => ReadyMessage.TryRead(payload, out var ready) ? ready!.Write(_written) : -1,
            FrameType.Want => Want(payload),
            FrameType.Heartbeat => HeartbeatMessage.TryRead(payload, out var heartbeat) ? heartbeat!.Write(_written) : -1,
            FrameType.Error or FrameType.GatewayError => ErrorMessage.TryRead(payload, out var error) ? error!.Write(_written) : -1,
            FrameType.Session => SessionMessage.TryRead(payload, out var session) ? session!.Write(_written) : -1,
            FrameType.Credit => Credit(payload),
            FrameType.Watermark or FrameType.Rewind or FrameType.Hold => WatermarkMessage.TryRead(payload, _watermarks, out var count)
                ? WatermarkMessage.Write(_watermarks.AsSpan(0, count), _written) : -1,
            FrameType.GatewayHeartbeat => GatewayHeartbeatMessage.TryRead(payload, _watermarks, out var sentAt, out var echo, out var full)
                ? GatewayHeartbeatMessage.Write(sentAt, echo, _watermarks.AsSpan(0, full), _written) : -1,
            FrameType.Goodbye => GoodbyeMessage.TryRead(payload, out var goodbye) ? goodbye.Write(_written) : -1,
            FrameType.Token => TokenMessage.TryRead(payload, out var token) ? TokenMessage.Write(token, _written) : -1,
            FrameType.Message or FrameType.GatewayMessage => Message(type, payload),
            _ => -2,
        };
        Must(length < 0 || _written.AsSpan(0, length).SequenceEqual(payload), $"{type} has two forms");
        return ((int)type * 4) + (length < 0 ? -length : 0);
    }

    private int Message(FrameType type, ReadOnlySpan<byte> payload)
    {
        var header = new FrameHeader(type, 0, LaneClass.Control, 0, 0, payload.Length);
        var error = MessageFrame.TryRead(payload, in header, new byte[16], _key.PublicKey, out var message);
        return error == WireError.None
            ? MessageFrame.Write(message!, _key, FrameHeader.IsFromAgent(type), new byte[16], (0, 0), _written) : -(int)error - 1;
    }

    private int Want(ReadOnlySpan<byte> payload)
    {
        Span<ClassWant> wants = stackalloc ClassWant[Limits.LaneClasses];
        return WantMessage.TryRead(payload, wants) ? WantMessage.Write(wants, _written) : -1;
    }

    private int Credit(ReadOnlySpan<byte> payload)
    {
        Span<ulong> offsets = stackalloc ulong[Limits.LaneClasses];
        return CreditMessage.TryRead(payload, offsets) ? CreditMessage.Write(offsets, _written) : -1;
    }

    private static byte[] Seed(FrameType type, Func<byte[], int> write)
    {
        var buffer = new byte[Limits.MaxControlFrameBytes];
        return [(byte)type, .. buffer.AsSpan(0, write(buffer))];
    }
}
