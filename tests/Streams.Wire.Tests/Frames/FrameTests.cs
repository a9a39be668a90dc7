using Streams.Wire.Frames;
using Streams.Wire.Tests.Handshake;

namespace Streams.Wire.Tests.Frames;

public sealed class FrameTests
{
    private const int PayloadLength = 300;

    [Fact]
    public void EveryFlippedByteIsRefusedAndEndsTheSession()
    {
        for (var i = 0; i < PayloadLength + FrameHeader.Overhead; i++)
        {
            using var pair = new Pair().Complete();
            var (sealer, opener) = pair.AgentToGateway();
            using (sealer)
            using (opener)
            {
                var frame = Seal(sealer, FrameType.Data);
                frame[i] ^= 0x01;
                Assert.True(opener.TryOpen(frame, out _, out var plaintext) != FrameError.None, $"byte {i}");
                Assert.True(plaintext.IsEmpty);
                frame[i] ^= 0x01;
                Assert.Equal(FrameError.Closed, opener.TryOpen(frame, out _, out _));
            }
        }
    }

    [Fact]
    public void EveryOtherLengthIsRefused()
    {
        using var pair = new Pair().Complete();
        var (sealer, _) = pair.AgentToGateway();
        var frame = Seal(sealer, FrameType.Data);
        for (var length = 0; length < frame.Length + 40; length++)
        {
            if (length != frame.Length)
            {
                using var fresh = new Pair().Complete();
                var (_, opener) = fresh.AgentToGateway();
                var cut = frame.ToArray();
                Array.Resize(ref cut, length);
                Assert.Equal(FrameError.BadLength, opener.TryOpen(cut, out _, out _));
                opener.Dispose();
            }
        }

        sealer.Dispose();
    }

    [Fact]
    public void FramesOpenInOrder()
    {
        using var pair = new Pair().Complete();
        var (sealer, opener) = pair.AgentToGateway();
        for (var i = 0u; i < 1000; i++)
        {
            var frame = Seal(sealer, FrameType.Data);
            Assert.Equal(FrameError.None, opener.TryOpen(frame, out var header, out var plaintext));
            Assert.Equal((i, 0u, FrameType.Data, LaneClass.Event), ((uint)header.Counter, header.KeyEpoch, header.Type, header.LaneClass));
            Assert.Equal(Payload, plaintext.ToArray());
        }

        sealer.Dispose();
        opener.Dispose();
    }

    [Theory]
    [InlineData("replay", FrameError.BadCounter)]
    [InlineData("skip", FrameError.BadCounter)]
    [InlineData("reorder", FrameError.BadCounter)]
    [InlineData("reflect", FrameError.UnexpectedType)]
    [InlineData("redirect", FrameError.NotAuthentic)]
    public void CounterDiscipline(string attack, FrameError expected)
    {
        using var pair = new Pair().Complete();
        var (agentSealer, gatewayOpener) = pair.AgentToGateway();
        var (gatewaySealer, agentOpener) = pair.GatewayToAgent();
        var first = Seal(agentSealer, FrameType.Data);
        var second = Seal(agentSealer, FrameType.Data);
        var result = attack switch
        {
            "replay" => Open(gatewayOpener, first, first.ToArray()),
            "skip" => Open(gatewayOpener, second),
            "reorder" => Open(gatewayOpener, second, first),
            "reflect" => Open(agentOpener, first),
            // The gateway's own frame with the type of an agent's: only the key of the direction tells.
            _ => Open(gatewayOpener, Retyped(gatewaySealer)),
        };
        Assert.Equal(expected, result);
        foreach (var end in new IDisposable[] { agentSealer, gatewayOpener, gatewaySealer, agentOpener })
        {
            end.Dispose();
        }

        static FrameError Open(FrameOpener opener, params byte[][] frames)
        {
            foreach (var frame in frames)
            {
                var error = opener.TryOpen(frame, out _, out _);
                if (error != FrameError.None)
                {
                    return error;
                }
            }

            return FrameError.None;
        }

        static byte[] Retyped(FrameSealer sealer)
        {
            var frame = Seal(sealer, FrameType.Credit);
            frame[1] = (byte)FrameType.Want;
            return frame;
        }
    }

    [Fact]
    public void TheSenderRekeysByTimeAndTheReceiverFollows()
    {
        using var pair = new Pair().Complete();
        var time = new ManualTime();
        var (sealer, opener) = pair.AgentToGateway(time);
        for (var epoch = 0u; epoch < 5; epoch++)
        {
            for (var i = 0u; i < 3; i++)
            {
                var frame = Seal(sealer, FrameType.Data);
                Assert.Equal(FrameError.None, opener.TryOpen(frame, out var header, out _));
                Assert.Equal((epoch, i), (header.KeyEpoch, (uint)header.Counter));
                time.Advance(i < 2 ? 59.9 : 0.2);
            }
        }

        sealer.Dispose();
        opener.Dispose();
    }

    [Fact]
    public void TheSenderRekeysAfterTwoToTheTwentyFramesAndTheReceiverHoldsItToThat()
    {
        using var pair = new Pair().Complete();
        var (sealer, opener) = pair.AgentToGateway(new ManualTime());
        var frame = new byte[FrameHeader.Overhead + 1];
        for (var i = 0UL; i < Limits.MaxFramesPerKey; i++)
        {
            var length = sealer.Seal(FrameType.Data, LaneClass.Event, frame, 1);
            Assert.Equal(FrameError.None, opener.TryOpen(frame.AsSpan(0, length), out _, out _));
        }

        Assert.Equal((0u, Limits.MaxFramesPerKey), (sealer.KeyEpoch, sealer.Counter));
        sealer.Seal(FrameType.Data, LaneClass.Event, frame, 1);
        Assert.Equal(FrameError.None, opener.TryOpen(frame, out var header, out _));
        Assert.Equal((1u, 0UL), (header.KeyEpoch, header.Counter));
        sealer.Dispose();
        opener.Dispose();
    }

    [Fact]
    public void AFrameBeyondTheLifeOfAKeyIsRefused()
    {
        using var pair = new Pair().Complete();
        var (sealer, opener) = pair.AgentToGateway(new ManualTime());
        var frame = new byte[FrameHeader.Overhead];
        for (var i = 0UL; i < Limits.MaxFramesPerKey; i++)
        {
            sealer.Seal(FrameType.Data, LaneClass.Event, frame, 0);
            Assert.Equal(FrameError.None, opener.TryOpen(frame, out _, out _));
        }

        // A sender that forgot to rekey: same epoch, next counter. Refused before the tag is looked at.
        new FrameHeader(FrameType.Data, 0, LaneClass.Event, 0, Limits.MaxFramesPerKey, 0).Write(frame);
        Assert.Equal(FrameError.BadCounter, opener.TryOpen(frame, out _, out _));
        sealer.Dispose();
    }

    [Theory]
    [InlineData(2u, 0UL, FrameError.BadKeyEpoch)]
    [InlineData(1u, 1UL, FrameError.BadCounter)]
    [InlineData(uint.MaxValue, 0UL, FrameError.BadKeyEpoch)]
    [InlineData(1u, 0UL, FrameError.NotAuthentic)]
    public void OnlyTheNextKeyEpochAtItsFirstCounterIsAccepted(uint epoch, ulong counter, FrameError expected)
    {
        using var pair = new Pair().Complete();
        var (sealer, opener) = pair.AgentToGateway();
        var frame = Seal(sealer, FrameType.Data);
        new FrameHeader(FrameType.Data, 0, LaneClass.Event, epoch, counter, PayloadLength).Write(frame);
        Assert.Equal(expected, opener.TryOpen(frame, out _, out _));
        sealer.Dispose();
    }

    [Fact]
    public void AnOldKeyEpochIsGoneAfterARekey()
    {
        using var pair = new Pair().Complete();
        var (sealer, opener) = pair.AgentToGateway();
        var old = Seal(sealer, FrameType.Data);
        Assert.Equal(FrameError.None, opener.TryOpen(old.ToArray(), out _, out _));
        sealer.Rekey();
        Assert.Equal(FrameError.None, opener.TryOpen(Seal(sealer, FrameType.Data), out _, out _));
        Assert.Equal(FrameError.BadKeyEpoch, opener.TryOpen(old, out _, out _));
        sealer.Dispose();
    }

    [Fact]
    public void SealAndOpenAllocateNothing()
    {
        using var pair = new Pair().Complete();
        var (sealer, opener) = pair.AgentToGateway();
        var frame = new byte[16_384 + FrameHeader.Overhead];
        Run(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(2000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        sealer.Dispose();
        opener.Dispose();

        void Run(int times)
        {
            for (var i = 0; i < times; i++)
            {
                if (i % 500 == 499)
                {
                    sealer.Rekey();
                }

                var length = sealer.Seal(FrameType.Data, LaneClass.Event, frame, 16_384);
                if (opener.TryOpen(frame.AsSpan(0, length), out _, out _) != FrameError.None)
                {
                    throw new InvalidOperationException("not opened");
                }
            }
        }
    }

    [Fact]
    public void HeadersOutOfBoundsAreRefusedUnread()
    {
        Assert.Equal(FrameError.BadLength, FrameHeader.TryRead(new byte[19], out _));
        Assert.Equal(FrameError.UnknownVersion, Try(2, 2, 0, 3, 0));
        Assert.Equal(FrameError.BadFlags, Try(1, 2, 1, 3, 0));
        Assert.Equal(FrameError.BadFlags, Try(1, 2, 0, 6, 0));
        Assert.Equal(FrameError.UnexpectedType, Try(1, 7, 0, 3, 0));
        Assert.Equal(FrameError.UnexpectedType, Try(1, 0, 0, 3, 0));
        Assert.Equal(FrameError.UnexpectedType, Try(1, 74, 0, 3, 0));
        Assert.Equal(FrameError.None, Try(1, 2, 0, 3, Limits.MaxPlaintextBytes));
        Assert.Equal(FrameError.BadLength, Try(1, 2, 0, 3, Limits.MaxPlaintextBytes + 1));
        Assert.Equal(FrameError.BadLength, Try(1, 3, 0, 0, Limits.MaxControlFrameBytes));
        Assert.Equal(FrameError.BadLength, Try(1, 2, 0, 3, -1));

        static FrameError Try(byte version, byte type, byte flags, byte laneClass, int length)
        {
            var bytes = new byte[FrameHeader.Size];
            new FrameHeader((FrameType)type, flags, (LaneClass)laneClass, 0, 0, length).Write(bytes);
            bytes[0] = version;
            return FrameHeader.TryRead(bytes, out _);
        }
    }

    [Theory]
    [InlineData(1, 256)]
    [InlineData(256, 256)]
    [InlineData(257, 512)]
    public void PaddingIsTheLeastThatReachesTheStep(int length, int padded)
    {
        Assert.Equal(padded, DataPadding.PaddedLength(length));
        var plaintext = new byte[padded];
        plaintext.AsSpan(0, length).Fill(7);
        Assert.True(DataPadding.IsValid(plaintext, length));
        Assert.False(DataPadding.IsValid(new byte[padded + 256], length));
        Assert.False(DataPadding.IsValid(plaintext, 0));
        if (length < padded)
        {
            plaintext[^1] = 1;
            Assert.False(DataPadding.IsValid(plaintext, length));
        }
    }

    private static byte[] Payload { get; } = [.. Enumerable.Range(0, PayloadLength).Select(i => (byte)i)];

    private static byte[] Seal(FrameSealer sealer, FrameType type)
    {
        var frame = new byte[PayloadLength + FrameHeader.Overhead];
        sealer.Seal(type, LaneClass.Event, Payload, frame);
        return frame;
    }
}
