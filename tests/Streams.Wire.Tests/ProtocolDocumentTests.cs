using System.Globalization;
using Streams.Wire.Frames;
using Streams.Wire.Tests.Handshake;

namespace Streams.Wire.Tests;

/// <summary>PROTOCOL.md and the code say the same where both print a table.</summary>
public sealed class ProtocolDocumentTests
{
    private static string[] Lines { get; } = File.ReadAllLines(Path.Combine(Path.GetDirectoryName(VectorFile.FilePath)!, "..", "..", "PROTOCOL.md"));

    [Fact]
    public void TheChannelsAreThoseOfTheTable()
    {
        var expected = Channels.All.Select(c => string.Join('|', $"`{c.Name}`", c.Module, c.Backend,
            c.Direction == ChannelDirection.AgentToGateway ? "agent to gateway" : c.Direction == ChannelDirection.Both ? "both" : "gateway to agent",
            c.Priority.ToString().ToLowerInvariant(), c.Credit ? "yes" : "no", c.Available));
        var printed = Rows("| `").Select(cells => string.Join('|', [.. cells[..6], (!cells[6].Contains("not yet", StringComparison.Ordinal)).ToString()]));
        Assert.Equal(expected, printed);
        Assert.Equal(9, Channels.All.Count);
    }

    [Fact]
    public void TheFrameTypesAreThoseOfTheTable()
    {
        var printed = Rows("| ").Where(cells => cells.Length == 4 && int.TryParse(cells[0], out _))
            .ToDictionary(cells => int.Parse(cells[0], CultureInfo.InvariantCulture), cells => cells[1]);
        Assert.Equal(Enum.GetValues<FrameType>().Select(type => (int)type), printed.Keys);
        Assert.All(printed, row => Assert.Equal(FrameHeader.IsFromAgent((FrameType)row.Key), row.Value == "agent to gateway"));
    }

    [Fact]
    public void TheCloseCodesAreThoseOfTheTable()
    {
        var printed = Rows("| ").Where(cells => cells.Length == 3 && cells[0] is ['1' or '4', _, _, _]).Select(cells => int.Parse(cells[0], CultureInfo.InvariantCulture));
        Assert.Equal(Enum.GetValues<CloseCode>().Select(code => (int)code), printed);
    }

    private static IEnumerable<string[]> Rows(string start) =>
        Lines.Where(line => line.StartsWith(start, StringComparison.Ordinal)).Select(line => line.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries));
}
