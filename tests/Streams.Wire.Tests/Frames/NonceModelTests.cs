using System.Reflection;
using NSec.Cryptography;
using Streams.Wire.Frames;
using Streams.Wire.Keys;
using Streams.Wire.Tests.Handshake;

namespace Streams.Wire.Tests.Frames;

/// <summary>
/// What must never happen to a nonce cipher, over the whole life of two ends: sessions, both directions, rekeys by frames, by time and by
/// hand, reconnects, restarts of both processes. The key and the nonce of every frame are read out of the sealer and proved to be the ones
/// that were used by opening the frame with another implementation.
/// </summary>
public sealed class NonceModelTests
{
    private const int Steps = 2500;

    private static readonly FieldInfo SealerSlot = Field(typeof(FrameSealer), "_slot");
    private static readonly FieldInfo SealerCounter = Field(typeof(FrameSealer), "<Counter>k__BackingField");
    private static readonly FieldInfo OpenerCounter = Field(typeof(FrameOpener), "_counter");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void No_key_and_nonce_seal_two_frames_and_nothing_opens_out_of_its_order(int seed)
    {
        var random = new Random(seed);
        var model = new Model(random);
        for (var step = 0; step < Steps; step++)
        {
            model.Step();
        }

        model.Dispose();
        Assert.True(model.Sessions > 20 && model.Rekeys > 100 && model.Refused > 20,
            $"the model did too little: {model.Sessions} sessions, {model.Rekeys} rekeys, {model.Refused} refusals");
    }

    private static FieldInfo Field(Type type, string name) => type.GetField(name, BindingFlags.NonPublic | BindingFlags.Instance)!;

    private sealed class Model(Random random) : IDisposable
    {
        private readonly HashSet<string> _pairs = [];
        private readonly List<byte[]> _past = [];
        private readonly ManualTime _time = new();
        private Pair _pair = null!;
        private Side[] _sides = [];

        public int Sessions { get; private set; }

        public int Rekeys { get; private set; }

        public int Refused { get; private set; }

        public void Step()
        {
            if (_sides.Length == 0)
            {
                Connect();
            }

            var side = _sides[random.Next(2)];
            switch (random.Next(100))
            {
                case < 60:
                    side.Waiting.Enqueue(Seal(side));
                    break;
                case < 80:
                    while (side.Waiting.TryDequeue(out var frame))
                    {
                        Open(side, frame);
                    }

                    break;
                case < 88:
                    _time.Advance(random.Next(0, 200));
                    break;
                case < 91:
                    // A frame follows at once: two rekeys in a row are no step that a receiver may take, and none that a sealer takes by itself.
                    if (!side.Named)
                    {
                        side.Sealer.Rekey();
                        Rekeys++;
                        side.Waiting.Enqueue(Seal(side));
                    }

                    break;
                case < 93:
                    // For a signature inside the next frame; it may rekey.
                    var before = side.Sealer.KeyEpoch;
                    Rekeys += side.Sealer.NameNext().KeyEpoch == before ? 0 : 1;
                    side.Named = true;
                    break;
                case < 95:
                    NearlyUsedUp(side);
                    break;
                case < 97:
                    Refuse(side);
                    break;
                default:
                    // A reconnect; frames on their way are lost with it.
                    Disconnect();
                    break;
            }
        }

        public void Dispose() => Disconnect();

        private void Connect()
        {
            // Both ends with the same long-term keys, all else fresh: that is a restart of both processes.
            _pair = new Pair(fresh: true);
            _pair.Complete();
            var up = _pair.AgentToGateway(_time);
            var down = _pair.GatewayToAgent(_time);
            _sides = [new Side(FrameType.Heartbeat, up.Sealer, up.Opener), new Side(FrameType.GatewayHeartbeat, down.Sealer, down.Opener)];
            Sessions++;
        }

        private void Disconnect()
        {
            foreach (var side in _sides)
            {
                side.Sealer.Dispose();
                side.Opener.Dispose();
            }

            if (_sides.Length > 0)
            {
                _pair.Dispose();
            }

            _sides = [];
        }

        private byte[] Seal(Side side)
        {
            var text = new byte[random.Next(0, 40)];
            random.NextBytes(text);
            var frame = new byte[text.Length + FrameHeader.Overhead];
            var epoch = side.Sealer.KeyEpoch;
            Assert.Equal(frame.Length, side.Sealer.Seal(side.Type, LaneClass.Control, text, frame));
            Rekeys += side.Sealer.KeyEpoch == epoch ? 0 : 1;
            side.Named = false;
            var (key, nonce) = Used(side.Sealer);
            Assert.True(_pairs.Add(Convert.ToHexString([.. key, .. nonce])), $"key epoch {side.Sealer.KeyEpoch}, counter {side.Sealer.Counter - 1} used twice");
            using var other = Key.Import(AeadAlgorithm.ChaCha20Poly1305, key, KeyBlobFormat.RawSymmetricKey);
            Assert.Equal(text, AeadAlgorithm.ChaCha20Poly1305.Decrypt(other, nonce, frame.AsSpan(0, FrameHeader.Size), frame.AsSpan(FrameHeader.Size)));
            side.Texts.Enqueue(text);
            _past.Add(frame.ToArray());
            return frame;
        }

        private void Open(Side side, byte[] frame)
        {
            Assert.Equal(FrameError.None, side.Opener.TryOpen(frame, out _, out var text));
            Assert.Equal(side.Texts.Dequeue(), text.ToArray());
        }

        /// <summary>Both ends to the last frames of a key, as after hours of sending.</summary>
        private void NearlyUsedUp(Side side)
        {
            var near = Limits.MaxFramesPerKey - (ulong)random.Next(1, 4);
            if (side.Waiting.Count == 0 && !side.Named && side.Sealer.Counter is > 0 and < 1000)
            {
                SealerCounter.SetValue(side.Sealer, near);
                OpenerCounter.SetValue(side.Opener, near);
            }
        }

        /// <summary>Something that is not the next frame of this direction of this session. It ends the session for good.</summary>
        private void Refuse(Side side)
        {
            if (_past.Count == 0)
            {
                return;
            }

            // Any frame of the past, of any session and direction; what is on its way here is past as well, except its first.
            var forged = _past[random.Next(_past.Count)].ToArray();
            if (side.Waiting.TryPeek(out var next) && next.AsSpan().SequenceEqual(forged))
            {
                return;
            }

            Assert.NotEqual(FrameError.None, side.Opener.TryOpen(forged, out _, out var text));
            Assert.True(text.IsEmpty);
            if (next is not null)
            {
                Assert.Equal(FrameError.Closed, side.Opener.TryOpen(next, out _, out _));
            }

            Refused++;
            Disconnect();
        }

        private static unsafe (byte[] Key, byte[] Nonce) Used(FrameSealer sealer)
        {
            var slot = (KeySlot)SealerSlot.GetValue(sealer)!;
            var nonce = new byte[FrameNonce.Size];
            FrameNonce.Write(TrafficKey.Iv(slot), sealer.Counter - 1, nonce);
            return (new ReadOnlySpan<byte>(TrafficKey.Key(slot), KeySchedule.KeySize).ToArray(), nonce);
        }
    }

    private sealed record Side(FrameType Type, FrameSealer Sealer, FrameOpener Opener)
    {
        public Queue<byte[]> Waiting { get; } = new();

        public Queue<byte[]> Texts { get; } = new();

        /// <summary>Key and counter of the next frame were asked for, so they are fixed.</summary>
        public bool Named { get; set; }
    }
}
