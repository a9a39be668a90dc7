using System.Net;
using Streams.Control.Identity;
using Streams.Gateway.Auth;
using Streams.Gateway.Records;
using Streams.Wire;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests.Records;

public sealed class AuthFailuresTests
{
    [Fact]
    public void Refusals_of_one_kind_are_one_row()
    {
        var failures = new AuthFailures();
        var one = Failure("192.0.2.7", "agent-1", "bad_signature");
        for (var i = 0; i < 5; i++)
        {
            failures.Note(one);
        }

        failures.Note(Failure("192.0.2.8", "agent-1", "bad_signature"));
        // Of one /56, and of another.
        failures.Note(Failure("2001:db8::1", "", "malformed"));
        failures.Note(Failure("2001:db8:0:ff::1", "", "malformed"));
        failures.Note(Failure("2001:db8:0:100::1", "", "malformed"));
        var taken = failures.Take();
        Assert.Equal([1U, 1U, 2U, 5U], taken.Values.Order());
        Assert.Equal(5U, taken[one]);
        Assert.Empty(failures.Take());
    }

    [Fact]
    public void Who_changes_everything_buys_no_more_rows_and_every_refusal_is_counted()
    {
        var failures = new AuthFailures();
        var reasons = Enum.GetValues<RefusalReason>();
        for (var i = 0; i < 100_000; i++)
        {
            failures.Note(Failure($"2001:db8:{i / 200:x}:{i % 200 * 256:x}::", $"agent-{i}", reasons[i % reasons.Length].ToString()));
        }

        var taken = failures.Take();
        Assert.InRange(taken.Count, 1, AuthFailures.MaxRows);
        Assert.Equal(100_000, taken.Values.Sum(count => count));
        Assert.Contains(taken, pair => pair.Key is { Source: null, Agent: "" } && pair.Value > 1000);
    }

    [Fact]
    public void There_is_a_row_for_every_reason() =>
        // Of the handshake, and those from before it: proxy_header, source_connections, source_rate, draining, upgrade,
        // source_handshakes, handshake_queue; those of mode enrol: source_enrolments, enrolments; those of the Registry; and those within a session.
        Assert.InRange(Enum.GetValues<RefusalReason>().Length + 9 + Enum.GetValues<RegistryRefusal>().Length + Enum.GetValues<WireError>().Length, 1, AuthFailures.MaxReasons);

    [Fact]
    public void The_alarm_is_raised_once_and_over_below_half()
    {
        var alarm = new FailureAlarm(threshold: 10, windows: 6);
        Assert.False(alarm.Look(10));
        Assert.False(alarm.IsRaised);
        Assert.True(alarm.Look(1));
        Assert.True(alarm.IsRaised);
        // 11, 11, 10, 10: around the threshold nothing is said.
        Assert.False(alarm.Look(0));
        Assert.False(alarm.Look(0));
        Assert.False(alarm.Look(0));
        Assert.False(alarm.Look(0));
        Assert.Equal(11, alarm.Total);
        Assert.False(alarm.Look(9));
        Assert.Equal(10, alarm.Total);
        for (var i = 0; i < 5; i++)
        {
            Assert.False(alarm.Look(0));
        }

        Assert.True(alarm.Look(0));
        Assert.False(alarm.IsRaised);
        Assert.Equal(0, alarm.Total);
    }

    private static AuthFailure Failure(string address, string agent, string reason) =>
        new(SourcePrefix.Of(IPAddress.Parse(address)), agent, reason, true);
}
