using System.Globalization;

namespace Streams.Queue.Reading;

/// <summary>
/// The numbers in a delivered message's reply subject,
/// <c>$JS.ACK.[domain.account.]stream.consumer.delivered.streamSeq.consumerSeq.time.pending[.random]</c>
/// (9 tokens, or 11 and more since the server knows domains; nats-server server/consumer.go).
/// </summary>
/// <param name="Pending">Messages behind it that the server has not delivered yet.</param>
internal readonly record struct Delivery(ulong StreamSequence, ulong ConsumerSequence, ulong Pending)
{
    private const int ShortForm = 9;
    private const int LongForm = 11;

    public static bool TryParse(ReadOnlySpan<char> reply, out Delivery delivery)
    {
        delivery = default;
        if (!reply.StartsWith("$JS.ACK.", StringComparison.Ordinal))
            return false;
        Span<Range> tokens = stackalloc Range[16];
        var count = reply.Split(tokens, '.');
        var first = count switch
        {
            ShortForm => 5,
            >= LongForm => 7,
            _ => -1,
        };
        if (first < 0
            || !ulong.TryParse(reply[tokens[first]], NumberStyles.None, CultureInfo.InvariantCulture, out var stream)
            || !ulong.TryParse(reply[tokens[first + 1]], NumberStyles.None, CultureInfo.InvariantCulture, out var consumer)
            || !ulong.TryParse(reply[tokens[first + 3]], NumberStyles.None, CultureInfo.InvariantCulture, out var pending))
        {
            return false;
        }

        delivery = new Delivery(stream, consumer, pending);
        return true;
    }
}
