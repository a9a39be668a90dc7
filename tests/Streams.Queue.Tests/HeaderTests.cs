using Streams.Schema;

namespace Streams.Queue.Tests;

public sealed class HeaderTests
{
    [Fact]
    public void Round_trip_at_the_edges()
    {
        foreach (var headers in new[]
        {
            Messages.Headers(0),
            Messages.Headers(uint.MaxValue, lane: uint.MaxValue, generation: ulong.MaxValue) with
            {
                Catalogue = ushort.MaxValue, ReceivedAt = long.MaxValue, Class = PriorityClass.Bulk, Host = "",
            },
            Messages.Headers(uint.MaxValue - 9, count: 10),
        })
        {
            Assert.Equal(MessageHeaderFault.None, MessageHeaders.TryRead(headers.ToNats("agent-1"), out var read).Fault);
            Assert.Equal(headers, read);
        }
    }

    [Fact]
    public void Message_id_names_agent_epoch_lane_range_and_generation() =>
        Assert.Equal(
            $"agent-1/{Messages.Epoch}/7/5-9/3",
            Messages.Headers(5, lane: 7, count: 5, generation: 3).ToNats("agent-1")["Nats-Msg-Id"].ToString());

    [Fact]
    public void The_encoding_of_the_batches_is_kept()
    {
        var text = Messages.Headers(5) with { Encoding = MessageEncoding.Json };
        Assert.Equal("json", text.ToNats("agent-1")["Streams-Encoding"].ToString());
        Assert.Equal(MessageHeaderFault.None, MessageHeaders.TryRead(text.ToNats("agent-1"), out var read).Fault);
        Assert.Equal(text, read);
    }

    [Fact]
    public void A_lane_that_is_sent_again_has_another_id_and_a_reader_sees_no_difference()
    {
        var again = Messages.Headers(5, lane: 7, count: 5, generation: 3) with { Resend = 2 };
        Assert.Equal($"agent-1/{Messages.Epoch}/7/5-9/3/2", again.ToNats("agent-1")["Nats-Msg-Id"].ToString());
        var headers = again.ToNats("agent-1");
        headers["Nats-Msg-Id"] = "anything at all";
        Assert.Equal(MessageHeaderFault.None, MessageHeaders.TryRead(headers, out var read).Fault);
        Assert.Equal(again with { Resend = 0 }, read);
    }

    [Theory]
    [InlineData("Streams-Epoch", "00000000000000000000000000000000", MessageHeaderFault.Malformed)]
    [InlineData("Streams-Epoch", "zz000000000000000000000000000001", MessageHeaderFault.Malformed)]
    [InlineData("Streams-Epoch", "01", MessageHeaderFault.Malformed)]
    [InlineData("Streams-Lane", "4294967296", MessageHeaderFault.OutOfRange)]
    [InlineData("Streams-Lane", "-1", MessageHeaderFault.Malformed)]
    [InlineData("Streams-Lane", " 1", MessageHeaderFault.Malformed)]
    [InlineData("Streams-Lane", "01", MessageHeaderFault.Malformed)]
    [InlineData("Streams-Lane", "1e3", MessageHeaderFault.Malformed)]
    [InlineData("Streams-First", "", MessageHeaderFault.Malformed)]
    [InlineData("Streams-First", "99999999999999999999999", MessageHeaderFault.Malformed)]
    [InlineData("Streams-Count", "0", MessageHeaderFault.OutOfRange)]
    [InlineData("Streams-Count", "4097", MessageHeaderFault.OutOfRange)]
    [InlineData("Streams-Class", "6", MessageHeaderFault.OutOfRange)]
    [InlineData("Streams-Received-At", "9223372036854775808", MessageHeaderFault.OutOfRange)]
    [InlineData("Streams-Generation", "18446744073709551616", MessageHeaderFault.Malformed)]
    [InlineData("Streams-Encoding", "xml", MessageHeaderFault.UnknownEncoding)]
    [InlineData("Streams-Catalogue", "65536", MessageHeaderFault.OutOfRange)]
    [InlineData("Streams-Host", "a b", MessageHeaderFault.Malformed)]
    public void Hostile_value_is_a_named_error(string name, string value, MessageHeaderFault fault)
    {
        var headers = Messages.Headers(1).ToNats("agent-1");
        headers[name] = value;
        Assert.Equal(new MessageHeaderError(fault, name), MessageHeaders.TryRead(headers, out _));
    }

    [Fact]
    public void Missing_and_repeated_headers_are_errors()
    {
        foreach (var name in Messages.Headers(1).ToNats("agent-1").Keys.Where(key => key.StartsWith("Streams-", StringComparison.Ordinal)))
        {
            var headers = Messages.Headers(1).ToNats("agent-1");
            headers.Remove(name);
            Assert.Equal(new MessageHeaderError(MessageHeaderFault.Missing, name), MessageHeaders.TryRead(headers, out _));
            headers[name] = new Microsoft.Extensions.Primitives.StringValues(["1", "1"]);
            Assert.Equal(new MessageHeaderError(MessageHeaderFault.Repeated, name), MessageHeaders.TryRead(headers, out _));
        }

        Assert.Equal(MessageHeaderFault.Missing, MessageHeaders.TryRead(null, out _).Fault);
    }

    [Fact]
    public void Numbers_past_the_end_of_the_lane_and_hosts_that_break_a_line_are_refused()
    {
        var headers = Messages.Headers(uint.MaxValue).ToNats("agent-1");
        headers["Streams-Count"] = "2";
        Assert.Equal(MessageHeaderFault.OutOfRange, MessageHeaders.TryRead(headers, out _).Fault);
        Assert.Throws<ArgumentException>(() => (Messages.Headers(1) with { Host = "a\r\nNats-Msg-Id: x" }).ToNats("agent-1"));
        Assert.Throws<ArgumentException>(() => (Messages.Headers(1) with { Host = new string('a', 256) }).ToNats("agent-1"));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("_gateway-1", true)]
    [InlineData("0-0", true)]
    [InlineData("", false)]
    [InlineData("_", false)]
    [InlineData("-a", false)]
    [InlineData("a.b", false)]
    [InlineData("a*", false)]
    [InlineData(">", false)]
    [InlineData("A", false)]
    [InlineData("a b", false)]
    public void Agent_ids(string id, bool valid)
    {
        Assert.Equal(valid, Subjects.IsAgentId(id));
        Assert.False(Subjects.IsAgentId(new string('a', 64)));
        Assert.True(Subjects.IsAgentId(new string('a', 63)));
    }
}
