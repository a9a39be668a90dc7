using System.Globalization;
using Streams.Wire.Frames;
using Streams.Wire.Keys;
using Xunit.Abstractions;

namespace Streams.Wire.Tests.Keys;

/// <summary>The keys of a whole gateway at once, and those of all its agents.</summary>
public sealed class ArenaLoadTests(ITestOutputHelper output)
{
    private const int Sessions = 20_000;
    private const int Rounds = 3;

    [Fact]
    public void Twenty_thousand_sessions_hold_their_keys_and_seal_and_open_in_turn()
    {
        using var gateways = new KeyArena(2 * Sessions);
        using var agents = new KeyArena(2 * Sessions);
        var up = new (FrameSealer Sealer, FrameOpener Opener)[Sessions];
        var down = new (FrameSealer Sealer, FrameOpener Opener)[Sessions];
        var h3 = new byte[32];
        var shared = new byte[32];
        GC.Collect();
        var (heap, resident) = (GC.GetTotalMemory(forceFullCollection: true), Resident());
        for (var i = 0; i < Sessions; i++)
        {
            // The key schedule of a handshake, without its 0.3 ms of curves.
            BitConverter.TryWriteBytes(h3, i);
            BitConverter.TryWriteBytes(shared, ~i);
            using var gateway = SessionKeys.TryDerive(gateways, h3, shared, isAgent: false)!;
            using var agent = SessionKeys.TryDerive(agents, h3, shared, isAgent: true)!;
            up[i] = (new FrameSealer(agent, TimeProvider.System), new FrameOpener(gateway, fromAgent: true));
            down[i] = (new FrameSealer(gateway, TimeProvider.System), new FrameOpener(agent, fromAgent: false));
        }

        Assert.Equal((2 * Sessions, 2 * Sessions), (gateways.Rented, agents.Rented));
        var (heapEach, residentEach) = ((GC.GetTotalMemory(true) - heap) / (2 * Sessions), (Resident() - resident) / (2 * Sessions));
        output.WriteLine($"a session at one end: {2 * KeySlot.Size} bytes of keys, of which {gateways.UnlockedBytes / Sessions} could not be locked; "
            + $"{heapEach} bytes of heap for its sealer and opener; {residentEach} bytes resident in all");
        Assert.InRange(heapEach, 1, 512);

        var text = "round and round"u8.ToArray();
        var frame = new byte[text.Length + FrameHeader.Overhead];
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < Sessions; i++)
            {
                Pass(up[i], FrameType.Heartbeat, round);
                Pass(down[i], FrameType.GatewayHeartbeat, round);
            }
        }

        // A frame of one session does not open in another that stands at the same place.
        up[0].Sealer.Seal(FrameType.Heartbeat, LaneClass.Control, text, frame);
        Assert.Equal(FrameError.NotAuthentic, up[1].Opener.TryOpen(frame, out _, out _));
        foreach (var (sealer, opener) in up.Concat(down))
        {
            sealer.Dispose();
            opener.Dispose();
        }

        Assert.Equal((0, 0), (gateways.Rented, agents.Rented));

        void Pass((FrameSealer Sealer, FrameOpener Opener) way, FrameType type, int round)
        {
            way.Sealer.Seal(type, LaneClass.Control, text, frame);
            Assert.True(way.Opener.TryOpen(frame, out var header, out var plaintext) == FrameError.None
                && header.Counter == (ulong)round && plaintext.SequenceEqual(text));
        }
    }

    private static long Resident() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
