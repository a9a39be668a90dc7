using Streams.Wire.Frames;
using Streams.Wire.Messages;
using Streams.Wire.Tests.Handshake;

namespace Streams.Wire.Tests.Messages;

/// <summary>A signed message is good at its place in its session and nowhere else.</summary>
public sealed class MessageFrameTests
{
    private static readonly byte[] SessionId = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];
    private static readonly (uint KeyEpoch, ulong Counter) Place = (3, 77);

    private static ControlMessage Message { get; } = new(MessageType.Response, Channels.Control, "cmd-1", "core", 1_750_000_000_000_000, "{\"a\":1}"u8.ToArray());

    [Fact]
    public void BothDirectionsRoundTrip()
    {
        using var pair = new Pair();
        var bytes = new byte[MessageFrame.GetLength(Message)];
        Assert.Equal(bytes.Length, MessageFrame.Write(Message, pair.Agent, SessionId, Place, bytes));
        Assert.Equal(WireError.None, MessageFrame.TryRead(bytes, Header(FrameType.Message), SessionId, pair.Agent.PublicKey, out var read));
        AssertSame(Message, read!);

        var command = Message with { Type = MessageType.Request };
        MessageFrame.Write(command, pair.Gateway, SessionId, Place, bytes);
        Assert.Equal(WireError.None,
            MessageFrame.TryRead(bytes, Header(FrameType.GatewayMessage), SessionId, pair.Gateway.Certificate.PublicKey, out read));
        AssertSame(command, read!);
    }

    [Fact]
    public void EveryFlippedByteIsRefused()
    {
        using var pair = new Pair();
        var bytes = Write(pair, Message);
        for (var i = 0; i < bytes.Length; i++)
        {
            var mutant = bytes.ToArray();
            mutant[i] ^= 1;
            Assert.NotEqual(WireError.None, MessageFrame.TryRead(mutant, Header(FrameType.Message), SessionId, pair.Agent.PublicKey, out _));
        }
    }

    [Fact]
    public void EveryOtherLengthIsMalformed()
    {
        using var pair = new Pair();
        var bytes = Write(pair, Message);
        for (var length = 0; length < bytes.Length + 20; length++)
        {
            var other = bytes.ToArray();
            Array.Resize(ref other, length);
            Assert.Equal(length == bytes.Length ? WireError.None : WireError.Malformed,
                MessageFrame.TryRead(other, Header(FrameType.Message), SessionId, pair.Agent.PublicKey, out _));
        }
    }

    [Fact]
    public void AnotherPlaceSessionOrSenderIsABadSignature()
    {
        using var pair = new Pair();
        var bytes = Write(pair, Message);
        byte[] other = [.. SessionId[..15], 99];
        Assert.Equal(WireError.BadSignature, MessageFrame.TryRead(bytes, Header(FrameType.Message) with { Counter = 78 }, SessionId, pair.Agent.PublicKey, out _));
        Assert.Equal(WireError.BadSignature, MessageFrame.TryRead(bytes, Header(FrameType.Message) with { KeyEpoch = 4 }, SessionId, pair.Agent.PublicKey, out _));
        Assert.Equal(WireError.BadSignature, MessageFrame.TryRead(bytes, Header(FrameType.Message), other, pair.Agent.PublicKey, out _));
        Assert.Equal(WireError.BadSignature, MessageFrame.TryRead(bytes, Header(FrameType.Message), SessionId, pair.Gateway.Certificate.PublicKey, out _));
    }

    /// <summary>A channel that takes the same type both ways does not make a message of one direction good in the other.</summary>
    [Fact]
    public void AReflectedMessageIsRefused()
    {
        using var pair = new Pair();
        var bytes = Write(pair, Message);
        Assert.Equal(WireError.WrongType, MessageFrame.TryRead(bytes, Header(FrameType.GatewayMessage), SessionId, pair.Agent.PublicKey, out _));
        var request = Write(pair, Message with { Type = MessageType.Request });
        Assert.Equal(WireError.BadSignature, MessageFrame.TryRead(request, Header(FrameType.GatewayMessage), SessionId, pair.Agent.PublicKey, out _));
    }

    [Fact]
    public void TheTableIsAskedBeforeTheSignature()
    {
        using var pair = new Pair();
        (ControlMessage Message, WireError Error)[] cases =
        [
            (Message with { Channel = 200 }, WireError.UnknownChannel),
            (Message with { Channel = Channels.FlowToken }, WireError.WrongDirection),
            (Message with { Module = "policy" }, WireError.WrongModule),
            (Message with { Type = MessageType.Request }, WireError.WrongType),
        ];
        foreach (var (message, error) in cases)
        {
            var bytes = Write(pair, message);
            bytes[^1] ^= 1;
            Assert.Equal(error, MessageFrame.TryRead(bytes, Header(FrameType.Message), SessionId, pair.Agent.PublicKey, out var read));
            Assert.Equal(message.Id, read!.Id);
        }
    }

    /// <summary>The signature names the place before the frame is sealed: the key must not change in between.</summary>
    [Fact]
    public void TheNamedPlaceIsTheFramesEvenWhenTheKeyComesOfAge()
    {
        using var pair = new Pair().Complete();
        var time = new ManualTime();
        var (sealer, opener) = pair.AgentToGateway(time);
        using (sealer)
        using (opener)
        {
            for (var i = 0; i < 3; i++)
            {
                time.Advance(Limits.MaxKeySeconds - 1);
                var place = sealer.NameNext();
                time.Advance(2);
                Assert.Equal(place, sealer.NameNext());
                var frame = new byte[10 + FrameHeader.Overhead];
                sealer.Seal(FrameType.Message, LaneClass.Control, frame, 10);
                Assert.Equal(FrameError.None, opener.TryOpen(frame, out var header, out _));
                Assert.Equal(place, (header.KeyEpoch, header.Counter));
            }

            Assert.Equal(2u, sealer.KeyEpoch);
        }
    }

    [Fact]
    public void TheLargestMessageFitsAFrameAndALargerOneIsRefused()
    {
        using var pair = new Pair();
        var message = new ControlMessage(MessageType.Response, Channels.Control, new string('i', 64), "core", 1, new byte[MessageFrame.MaxPayloadBytes]);
        Assert.InRange(MessageFrame.GetLength(message with { Module = new string('m', 32) }), 1, Limits.MaxControlFrameBytes - FrameHeader.Overhead);
        Assert.Equal(WireError.None,
            MessageFrame.TryRead(Write(pair, message), Header(FrameType.Message), SessionId, pair.Agent.PublicKey, out _));
        Assert.Throws<ArgumentException>(() => Write(pair, message with { Payload = new byte[MessageFrame.MaxPayloadBytes + 1] }));
        Assert.Throws<ArgumentException>(() => Write(pair, message with { Id = "a b" }));
    }

    [Fact]
    public void AHugeLengthCostsNothing()
    {
        using var pair = new Pair();
        var bytes = Write(pair, Message);
        var at = 1 + 1 + 1 + 5 + 1 + 4 + 8;
        bytes.AsSpan(at, 4).Fill(0xff);
        MessageFrame.TryRead(bytes, Header(FrameType.Message), SessionId, pair.Agent.PublicKey, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Assert.True(MessageFrame.TryRead(bytes, Header(FrameType.Message), SessionId, pair.Agent.PublicKey, out _) == WireError.Malformed);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100);
    }

    private static byte[] Write(Pair pair, ControlMessage message)
    {
        var bytes = new byte[MessageFrame.GetLength(message)];
        MessageFrame.Write(message, pair.Agent, SessionId, Place, bytes);
        return bytes;
    }

    private static FrameHeader Header(FrameType type) => new(type, 0, LaneClass.Control, Place.KeyEpoch, Place.Counter, 0);

    private static void AssertSame(ControlMessage expected, ControlMessage read)
    {
        Assert.Equal(expected with { Payload = read.Payload }, read);
        Assert.Equal(expected.Payload.ToArray(), read.Payload.ToArray());
    }
}
