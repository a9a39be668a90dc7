using System.Buffers.Binary;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using NSec.Cryptography;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Json;
using Streams.Wire.Keys;
using Streams.Wire.Tests.Handshake;

namespace Streams.Wire.Tests.Json;

/// <summary>
/// <see cref="Frames.NonceModelTests"/> for envelopes, where the change of key is a message of its own that the sender has to remember: sessions, both directions, rekeys,
/// reconnects, restarts of both processes. Key and nonce of every message are read out of the sealer and proved by opening it with another implementation.
/// </summary>
public sealed class JsonNonceModelTests
{
    private const int Steps = 2000;
    private const string Token = "header.claims.signature";

    private static readonly FieldInfo SealerSlot = Field(typeof(JsonSealer), "_slot");
    private static readonly FieldInfo SealerCounter = Field(typeof(JsonSealer), "<Counter>k__BackingField");
    private static readonly FieldInfo OpenerCounter = Field(typeof(JsonOpener), "_counter");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void No_key_and_nonce_seal_two_messages_and_nothing_opens_out_of_its_order(int seed)
    {
        var model = new Model(new Random(seed));
        for (var step = 0; step < Steps; step++)
        {
            model.Step();
        }

        model.Dispose();
        Assert.True(model.Sessions > 20 && model.Rekeys > 100 && model.Refused > 20 && model.UsedUp > 0,
            $"the model did too little: {model.Sessions} sessions, {model.Rekeys} rekeys, {model.Refused} refusals, {model.UsedUp} keys used up");
    }

    private static FieldInfo Field(Type type, string name) => type.GetField(name, BindingFlags.NonPublic | BindingFlags.Instance)!;

    private sealed class Model(Random random) : IDisposable
    {
        private readonly HashSet<string> _pairs = [];
        private readonly HashSet<string> _salts = [];
        private readonly List<byte[]> _past = [];
        private readonly ManualTime _time = new();
        private Pair _pair = null!;
        private Side[] _sides = [];
        private int _ids;

        public int Sessions { get; private set; }

        public int Rekeys { get; private set; }

        public int Refused { get; private set; }

        /// <summary>Keys that sealed as many messages as one may.</summary>
        public int UsedUp { get; private set; }

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
                    Send(side);
                    break;
                case < 80:
                    while (side.Waiting.TryDequeue(out var text))
                    {
                        Assert.Equal((WireError.None, side.Contents.Dequeue()), Open(side, text));
                    }

                    break;
                case < 88:
                    _time.Advance(random.Next(0, 200));
                    break;
                case < 92:
                    Seal(side, rekey: true);
                    break;
                case < 95:
                    NearlyUsedUp(side);
                    break;
                case < 98:
                    Refuse(side);
                    break;
                default:
                    // A reconnect; messages on their way are lost with it.
                    Disconnect();
                    break;
            }
        }

        public void Dispose() => Disconnect();

        private void Connect()
        {
            // Both ends with the same long-term keys, all else fresh: that is a restart of both processes.
            _pair = new Pair(HandshakeContext.Json, HandshakeContext.Json, fresh: true);
            _pair.Complete();
            _sides =
            [
                new Side(true, new JsonSealer(_pair.AgentKeys!, _pair.Agent, _time), new JsonOpener(_pair.GatewayKeys!, fromAgent: true, _pair.Agent.PublicKey.ToArray())),
                new Side(false, new JsonSealer(_pair.GatewayKeys!, _pair.Gateway, _time),
                    new JsonOpener(_pair.AgentKeys!, fromAgent: false, _pair.Gateway.Certificate.PublicKey.ToArray())),
            ];
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

        /// <summary>As every sender must: the rekey first, when one is due.</summary>
        private void Send(Side side)
        {
            if (side.Sealer.IsRekeyDue)
            {
                UsedUp += side.Sealer.Counter == Limits.MaxFramesPerKey - 1 ? 1 : 0;
                Seal(side, rekey: true);
                Assert.False(side.Sealer.IsRekeyDue);
            }

            Seal(side, rekey: false);
        }

        private void Seal(Side side, bool rekey)
        {
            var content = rekey ? $"{{\"key_epoch\":{side.Sealer.KeyEpoch + 1}}}" : $"{{\"sent_at\":{random.Next()}}}";
            var (epoch, counter) = (side.Sealer.KeyEpoch, side.Sealer.Counter);
            var (key, nonce) = Next(side.Sealer);
            var head = new EnvelopeHead(
                $"m{_ids++}", MessageType.Event, rekey ? "session.flow.rekey" : "heartbeat", 1_750_000_000_000_000, "agent-001", "comm", Encoding.ASCII.GetBytes(side.Token));
            var text = new byte[JsonSealer.GetMaxLength(content.Length + 64, side.Token.Length)];
            text = text[..(rekey ? side.Sealer.SealRekey(in head, text) : side.Sealer.Seal(in head, Encoding.ASCII.GetBytes(content), text))];
            Assert.Equal(rekey ? (epoch + 1, 0UL) : (epoch, counter + 1), (side.Sealer.KeyEpoch, side.Sealer.Counter));
            Rekeys += rekey ? 1 : 0;
            Assert.True(_pairs.Add(Convert.ToHexString([.. key, .. nonce])), $"key epoch {epoch}, counter {counter} used twice");

            var envelope = JsonNode.Parse(text)!;
            Assert.Equal(Convert.ToBase64String(nonce), envelope["nonce"]!.GetValue<string>());
            using var other = Key.Import(AeadAlgorithm.ChaCha20Poly1305, key, KeyBlobFormat.RawSymmetricKey);
            var plaintext = AeadAlgorithm.ChaCha20Poly1305.Decrypt(other, nonce, Aad(head, side), Convert.FromBase64String(envelope["payload"]!.GetValue<string>()));
            Assert.Equal(content, Encoding.ASCII.GetString(plaintext!, 16, plaintext!.Length - 16));
            Assert.True(_salts.Add(Convert.ToHexString(plaintext, 0, 16)), "a salt came twice");
            side.Waiting.Enqueue(text);
            side.Contents.Enqueue(rekey ? "" : content);
            _past.Add(text);
        }

        /// <summary>Both ends to the last messages of a key, as after hours of sending.</summary>
        private void NearlyUsedUp(Side side)
        {
            var near = Limits.MaxFramesPerKey - (ulong)random.Next(1, 4);
            if (side.Waiting.Count == 0 && side.Sealer.Counter is > 0 and < 1000)
            {
                SealerCounter.SetValue(side.Sealer, near);
                OpenerCounter.SetValue(side.Opener, near);
            }
        }

        /// <summary>Something that is not the next message of this direction of this session. It ends the session for good.</summary>
        private void Refuse(Side side)
        {
            if (_past.Count == 0)
            {
                return;
            }

            // Any message of the past, of any session and direction; what is on its way here is past as well, except its first.
            var forged = _past[random.Next(_past.Count)];
            if (side.Waiting.TryPeek(out var next) && ReferenceEquals(next, forged))
            {
                return;
            }

            Assert.Equal((WireError.BadNonce, ""), Open(side, forged));
            if (next is not null)
            {
                Assert.Equal((WireError.NotAllowed, ""), Open(side, next));
            }

            Refused++;
            Disconnect();
        }

        private static (WireError Error, string Content) Open(Side side, byte[] text)
        {
            // Opened in place: what was sent stays as it was.
            text = text.ToArray();
            Assert.Equal(WireError.None, EnvelopeReader.TryRead(text, side.FromAgent, out var envelope, out _));
            var error = side.Opener.TryOpen(text, envelope!, out var content, out _);
            return (error, Encoding.ASCII.GetString(content));
        }

        private static byte[] Aad(in EnvelopeHead head, Side side)
        {
            var timestamp = new byte[8];
            BinaryPrimitives.WriteUInt64BigEndian(timestamp, head.Timestamp);
            return [.. Str16(head.Id), .. Str16("event"), .. Str16(head.Channel), .. timestamp, .. Str16(head.AgentId), .. Str16(head.Module),
                .. SHA256.HashData(head.Token.Span), (byte)(side.FromAgent ? 0 : 1)];
        }

        private static byte[] Str16(string text) => [0, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

        private static unsafe (byte[] Key, byte[] Nonce) Next(JsonSealer sealer)
        {
            var slot = (KeySlot)SealerSlot.GetValue(sealer)!;
            var nonce = new byte[FrameNonce.Size];
            FrameNonce.Write(TrafficKey.Iv(slot), sealer.Counter, nonce);
            return (new ReadOnlySpan<byte>(TrafficKey.Key(slot), KeySchedule.KeySize).ToArray(), nonce);
        }
    }

    private sealed record Side(bool FromAgent, JsonSealer Sealer, JsonOpener Opener)
    {
        public string Token { get; } = FromAgent ? JsonNonceModelTests.Token : "";

        public Queue<byte[]> Waiting { get; } = new();

        /// <summary>What each of them opens to.</summary>
        public Queue<string> Contents { get; } = new();
    }
}
