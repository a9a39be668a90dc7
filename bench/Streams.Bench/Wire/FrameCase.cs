using System.Diagnostics;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Bench.Wire;

/// <summary>Frames sealed and opened as agent and gateway do, beside the bare AEAD over the same bytes; both alternate, the medians are compared.</summary>
internal static class FrameCase
{
    private const int Turns = 15;
    private const long BytesPerTurn = 48L << 20;

    /// <returns>Ours ÷ bare, 1 when frames cost nothing beside the AEAD.</returns>
    public static double Ratio(int plaintextBytes)
    {
        using var pair = new Pair();
        var rounds = (int)(BytesPerTurn / plaintextBytes);
        var ours = new double[Turns];
        var bare = new double[Turns];
        pair.SealOpenSeconds(plaintextBytes, rounds / 4);
        for (var turn = 0; turn < Turns; turn++)
        {
            ours[turn] = pair.SealOpenSeconds(plaintextBytes, rounds);
            bare[turn] = BareCrypto.SealOpenSeconds(plaintextBytes, rounds);
        }

        Array.Sort(ours);
        Array.Sort(bare);
        return bare[Turns / 2] / ours[Turns / 2];
    }

    /// <summary>Both ends of a session, out of a real handshake.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly KeyArena _arena = new(8);
        private readonly FrameSealer _sealer;
        private readonly FrameOpener _opener;

        public Pair()
        {
            using var root = SigningKey.Generate();
            var gatewayKey = SigningKey.Generate();
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            using var gateway = new GatewayIdentity(
                gatewayKey, FleetCertificate.Create(root, CertificateUse.Gateway, "bench", gatewayKey.PublicKey, now - 60, now + 3600, 1));
            using var agent = new AgentIdentity("bench", SigningKey.Generate());
            var buffer = new byte[Limits.MaxHandshakeMessageBytes];
            Check(AgentHandshake.TryStart(agent, HandshakeContext.Binary, _arena, out var a));
            Check(GatewayHandshake.TryStart(gateway, HandshakeContext.Binary, _arena, EphemeralKey.TryGenerate(_arena)!, out var g));
            using (a)
            using (g)
            {
                var hello = buffer.AsSpan(0, g!.WriteHello(now * 1_000_000, buffer)).ToArray();
                var claims = new AgentClaims(0, 1, 1, 1, new byte[32]);
                Check(a!.ReadHello(hello, new GatewayExpectations(new FleetRoots(root.PublicKey.ToArray()), null, now), in claims, buffer, out var written));
                Check(g.ReadAuth(buffer.AsSpan(0, written), out _));
                Check(g.Verify(agent.PublicKey));
                Check(g.WriteAccept(buffer, out var gatewayKeys));
                Check(a.ReadAccept(buffer.AsSpan(0, GatewayHandshake.AcceptBytes), out var agentKeys));
                _sealer = new FrameSealer(agentKeys!, TimeProvider.System);
                _opener = new FrameOpener(gatewayKeys!, fromAgent: true);
            }
        }

        public double SealOpenSeconds(int plaintextBytes, int rounds)
        {
            var frame = new byte[plaintextBytes + FrameHeader.Overhead];
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < rounds; i++)
            {
                var length = _sealer.Seal(FrameType.Data, LaneClass.Event, frame, plaintextBytes);
                if (_opener.TryOpen(frame.AsSpan(0, length), out _, out _) != FrameError.None)
                {
                    throw new InvalidOperationException("a frame that was just sealed does not open");
                }
            }

            return clock.Elapsed.TotalSeconds / rounds;
        }

        public void Dispose()
        {
            _sealer.Dispose();
            _opener.Dispose();
            _arena.Dispose();
        }

        private static void Check(RefusalReason reason)
        {
            if (reason != RefusalReason.None)
            {
                throw new InvalidOperationException($"handshake in one process: {reason}");
            }
        }
    }
}
