using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Keys;

namespace Streams.Fuzz.Targets;

/// <summary>Header and opener, from both directions: nothing opens but what was sealed.</summary>
internal sealed class FrameFuzz : FuzzTarget
{
    private static readonly byte[] Text = [.. "an ordinary heartbeat or batch"u8];

    public override string Name => "frame";

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Seal(FrameType.Heartbeat, fromAgent: true);
        yield return Seal(FrameType.Data, fromAgent: true);
        yield return Seal(FrameType.Credit, fromAgent: false);
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        var error = FrameHeader.TryRead(input, out var header);
        if (error != FrameError.None)
        {
            return (int)error;
        }

        Span<byte> written = stackalloc byte[FrameHeader.Size];
        header.Write(written);
        Must(written.SequenceEqual(input[..FrameHeader.Size]), "a header has two forms");
        Must(header.Length is >= 0 and <= Limits.MaxPlaintextBytes && (int)header.LaneClass < Limits.LaneClasses, "a header is out of range");
        var fromAgent = FrameHeader.IsFromAgent(header.Type);
        var genuine = input.SequenceEqual(Seal(header.Type, fromAgent));
        var opened = Open(input, fromAgent);
        Must((opened == FrameError.None) == genuine, $"opened {opened}, genuine {genuine}");
        Must(Open(input, !fromAgent) != FrameError.None, "a frame opens in the other direction");
        return 100 + ((int)opened * 100) + (int)header.Type;
    }

    private static FrameError Open(ReadOnlySpan<byte> input, bool fromAgent)
    {
        using var arena = new KeyArena(2);
        using var keys = SessionKeys.TryDerive(arena, new byte[32], new byte[32], isAgent: !fromAgent)!;
        using var opener = new FrameOpener(keys, fromAgent);
        var frame = input.ToArray();
        var error = opener.TryOpen(frame, out _, out var text);
        Must(error == FrameError.None || (text.IsEmpty && opener.TryOpen(frame, out _, out _) == FrameError.Closed), "an error is not the end");
        return error;
    }

    private static byte[] Seal(FrameType type, bool fromAgent)
    {
        using var arena = new KeyArena(2);
        using var keys = SessionKeys.TryDerive(arena, new byte[32], new byte[32], isAgent: fromAgent)!;
        using var sealer = new FrameSealer(keys, TimeProvider.System);
        var frame = new byte[Text.Length + FrameHeader.Overhead];
        return frame[..sealer.Seal(type, LaneClass.Control, Text, frame)];
    }
}
