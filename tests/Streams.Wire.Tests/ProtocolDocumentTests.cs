using System.Globalization;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Wire.Tests;

/// <summary>PROTOCOL.md and the code say the same where both print a table.</summary>
public sealed class ProtocolDocumentTests
{
    internal static string Text { get; } = File.ReadAllText(Path.Combine(VectorFolder.Root, "PROTOCOL.md"));

    private static string[] Lines { get; } = Text.Split('\n');

    [Fact]
    public void TheChannelsAreThoseOfTheTable()
    {
        var expected = Channels.All.Select(c => string.Join('|', c.Number, $"`{c.Name}`", Types(c.FromAgent), Types(c.FromGateway), c.Module,
            c.Weight?.ToString(CultureInfo.InvariantCulture) ?? "first", c.LaneClass.ToString().ToLowerInvariant(), string.Join(' ', c.EventClasses),
            c.Credit ? "yes" : "no", c.Backend, c.Frames));
        var printed = Rows("| ").Where(cells => cells.Length == 11 && int.TryParse(cells[0], out _)).Select(cells => string.Join('|', cells));
        Assert.Equal(expected, printed);
        Assert.Equal(16, Channels.All.Count);
    }

    private static string Types(MessageTypes types) => types == MessageTypes.None ? "" : types.ToString().ToLowerInvariant();

    [Fact]
    public void TheErrorsAreThoseOfTheTable()
    {
        var expected = Enum.GetValues<WireError>().Where(error => error != WireError.None)
            .Select(error => $"{(int)error}|`{error.Label()}`|{(error.EndsSession() ? "ends" : "goes on")}");
        var printed = Rows("| ").Where(cells => cells.Length == 4 && cells[1].StartsWith('`') && int.TryParse(cells[0], out _))
            .Select(cells => string.Join('|', cells[0], cells[1], cells[3]));
        Assert.Equal(expected, printed);
        Assert.Equal(Enum.GetValues<WireError>().Length, Enum.GetValues<WireError>().Select(error => error.Label()).Distinct().Count());
    }

    [Fact]
    public void TheFrameTypesAreThoseOfTheTable()
    {
        var printed = Rows("| ").Where(cells => cells.Length == 4 && !cells[1].StartsWith('`') && int.TryParse(cells[0], out _))
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

    [Fact]
    public void TheReasonsOfAGoodbyeAreThoseOfTheText()
    {
        var text = string.Join(' ', Lines.SkipWhile(line => !line.StartsWith("**goodbye**", StringComparison.Ordinal)).TakeWhile(line => line.Length > 0));
        Assert.All(Enum.GetValues<GoodbyeReason>(),
            reason => Assert.Contains($"{(int)reason} {reason.ToString().ToLowerInvariant()}", text, StringComparison.Ordinal));
        Assert.DoesNotContain($", {(int)Enum.GetValues<GoodbyeReason>().Max() + 1} ", text, StringComparison.Ordinal);
    }

    private static IEnumerable<string[]> Rows(string start) =>
        Lines.Where(line => line.StartsWith(start, StringComparison.Ordinal)).Select(line => line.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries));
}
