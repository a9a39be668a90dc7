using System.Globalization;
using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>Reads single-valued headers and remembers the first fault, so that the caller checks once.</summary>
internal struct HeaderReader(NatsHeaders headers)
{
    // 20 digits hold every 64-bit number.
    private const int LongestNumber = 20;

    public MessageHeaderError Error { get; private set; }

    public string? Text(string name)
    {
        if (!headers.TryGetValue(name, out var values) || values.Count == 0 || values[0] is not { } text)
            return Fail(MessageHeaderFault.Missing, name);
        return values.Count == 1 ? text : Fail(MessageHeaderFault.Repeated, name);
    }

    public ulong Number(string name, ulong least, ulong most)
    {
        var text = Text(name);
        if (text is null)
            return least;
        // Leading zeros would give one number two spellings, and so would a NUL behind it, which TryParse takes.
        var canonical = text.Length is > 0 and <= LongestNumber && (text[0] != '0' || text.Length == 1) && !text.AsSpan().ContainsAnyExceptInRange('0', '9');
        if (!canonical || !ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            Fail(MessageHeaderFault.Malformed, name);
            return least;
        }

        if (value >= least && value <= most)
            return value;
        Fail(MessageHeaderFault.OutOfRange, name);
        return least;
    }

    private string? Fail(MessageHeaderFault fault, string name)
    {
        if (Error.Fault == MessageHeaderFault.None)
            Error = new MessageHeaderError(fault, name);
        return null;
    }
}
