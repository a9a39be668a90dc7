using System.Text;
using Streams.Control.Commands;

namespace Streams.Control.Tests.Commands;

public sealed class CommandDocumentTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_document_says_after_a_round_trip_what_was_signed()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var made = issuer.Sign(Now);

        Assert.True(CommandDocument.TryParse(made.Bytes.Span, out var read));
        Assert.Equal(made.Fields with { Agents = [], Arguments = [] }, read.Fields with { Agents = [], Arguments = [] });
        Assert.Equal(made.Fields.Agents, read.Fields.Agents);
        Assert.Equal(made.Fields.Arguments, read.Fields.Arguments);
        Assert.Equal(made.Digest, read.Digest);
        Assert.True(read.IsSigned);
    }

    [Fact]
    public void A_request_carries_the_document()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var made = issuer.Sign(Now);
        Assert.Equal(made.Digest, CommandRequest.Read(CommandRequest.Write(made.Bytes.Span))!.Digest);
        var text = Encoding.UTF8.GetString(CommandRequest.Write(made.Bytes.Span));
        Assert.Null(CommandRequest.Read(Encoding.UTF8.GetBytes(text.Replace("{", "{\"more\":1,", StringComparison.Ordinal))));
        Assert.Null(CommandRequest.Read(Encoding.UTF8.GetBytes(text.Replace("}", $",{text[1..]}", StringComparison.Ordinal))));
        Assert.Null(CommandRequest.Read("{}"u8));
        Assert.Null(CommandRequest.Read("[]"u8));
        Assert.Null(CommandRequest.Read("{\"command\":\"AAAA\"}"u8));
    }

    [Fact]
    public void No_changed_shortened_or_lengthened_byte_passes()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var bytes = issuer.Sign(Now).Bytes.ToArray();
        for (var i = 0; i < bytes.Length; i++)
        {
            var changed = bytes.ToArray();
            changed[i] ^= 1;
            var verifier = new CommandVerifier(() => issuer.Roots, () => null, "agent-1", new CommandClock(new SetClock(Now), DateTimeOffset.UnixEpoch));
            Assert.True(!CommandDocument.TryParse(changed, out var document) || verifier.CheckSigner(document) != CommandRefusal.None, $"byte {i}");
            Assert.False(CommandDocument.TryParse(bytes.AsSpan(0, i), out _), $"{i} bytes");
        }

        Assert.False(CommandDocument.TryParse([.. bytes, 0], out _));
    }

    [Fact]
    public void One_set_of_fields_has_one_form()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        Assert.Throws<ArgumentException>(() => issuer.Sign(Now, f => f with { Agents = ["b", "a"] }));
        Assert.Throws<ArgumentException>(() => issuer.Sign(Now, f => f with { Agents = ["a", "a"] }));
        Assert.Throws<ArgumentException>(() => issuer.Sign(Now, f => f with { Agents = [] }));
        Assert.Throws<ArgumentException>(() => issuer.Sign(Now, f => f with { Arguments = [new("b", ""), new("a", "")] }));
        Assert.Throws<ArgumentException>(() => issuer.Sign(Now, f => f with { Actor = "a\nb" }));
        Assert.Throws<ArgumentException>(() => issuer.Sign(Now, f => f with { Deadline = f.IssuedAt + (ulong)TimeSpan.FromDays(8).TotalMicroseconds }));

        // Text that is not UTF-8 must not become the same fields as another document's.
        var bytes = issuer.Sign(Now).Bytes.ToArray();
        var at = bytes.AsSpan().IndexOf("alice"u8);
        bytes[at] = 0xff;
        Assert.False(CommandDocument.TryParse(bytes, out _));
    }

    [Fact]
    public void The_largest_document_fits()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var document = issuer.Sign(Now, f => f with
        {
            Kind = new string('k', CommandLimits.MaxKindBytes),
            Actor = new string('a', CommandLimits.MaxActorBytes),
            Agents = [.. Enumerable.Range(0, CommandLimits.MaxAgents).Select(i => $"{i:d3}".PadRight(63, 'x'))],
            Arguments = [.. Enumerable.Range(0, CommandLimits.MaxArguments).Select(i => new CommandArgument(
                $"{i:d2}".PadRight(CommandLimits.MaxArgumentNameBytes, 'x'), new string('v', CommandLimits.MaxArgumentValueBytes)))],
        });
        Assert.True(CommandDocument.TryParse(document.Bytes.Span, out _));
        Assert.InRange(CommandRequest.Write(document.Bytes.Span).Length, 1, (60 * 1024) - 1);
    }

    [Fact]
    public void An_event_says_what_it_said_and_nothing_unknown()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var document = issuer.Sign(Now);
        var word = CommandEvent.Of(document, CommandState.Finished, 7, "x", System.Text.Json.JsonDocument.Parse("{\"a\":[1,2]}").RootElement);
        Assert.True(CommandEvent.TryRead(word.Write(), out var read));
        Assert.Equal(word with { Result = null }, read with { Result = null });
        Assert.Equal("{\"a\":[1,2]}", read.Result!.Value.GetRawText());

        var text = Encoding.UTF8.GetString(word.Write());
        Assert.Contains("\"state\":\"finished\"", text, StringComparison.Ordinal);
        foreach (var broken in new[]
        {
            text.Replace("finished", "queued", StringComparison.Ordinal), text.Replace("finished", "done", StringComparison.Ordinal),
            text.Replace("\"finished\"", "10", StringComparison.Ordinal),
            text.Replace("\"at\":7", "\"at\":-7", StringComparison.Ordinal), text.Replace("\"at\":7", "\"at\":7,\"at\":7", StringComparison.Ordinal),
            text.Replace("\"at\":7", "\"more\":7", StringComparison.Ordinal), text.Replace(document.Id.ToString(), "00", StringComparison.Ordinal),
            text.Replace("\"x\"", "\"\\u0000\"", StringComparison.Ordinal), text.Replace("\"x\"", "null", StringComparison.Ordinal), text[..^1], "null",
        })
        {
            Assert.False(CommandEvent.TryRead(Encoding.UTF8.GetBytes(broken), out _), broken);
        }
    }

    /// <summary>Half a surrogate pair passes the parser and no writer; depth would fail whoever shows it.</summary>
    [Theory]
    [InlineData("\"\\ud800\"", false)]
    [InlineData("{\"\\udc00\":1}", false)]
    [InlineData("[[[[[[[[1]]]]]]]]", true)]
    [InlineData("[[[[[[[[[1]]]]]]]]]", false)]
    [InlineData("\"\\ud83d\\ude00\"", true)]
    public void A_result_is_what_every_reader_takes(string result, bool taken)
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var text = Encoding.UTF8.GetString(CommandEvent.Of(issuer.Sign(Now), CommandState.Finished, 7).Write());
        Assert.Equal(taken, CommandEvent.TryRead(Encoding.UTF8.GetBytes(text.Replace("\"at\":7", $"\"at\":7,\"result\":{result}", StringComparison.Ordinal)), out var read));
        Assert.Equal(taken, read?.Result is not null);
    }

    [Fact]
    public void States_go_forward_and_an_answer_beats_an_assumed_expiry()
    {
        Assert.True(CommandState.Queued.MayBecome(CommandState.Finished));
        Assert.False(CommandState.Started.MayBecome(CommandState.Received));
        Assert.False(CommandState.Finished.MayBecome(CommandState.Expired));
        Assert.False(CommandState.Finished.MayBecome(CommandState.Failed));
        Assert.True(CommandState.Expired.MayBecome(CommandState.Finished));
        Assert.False(CommandState.Expired.MayBecome(CommandState.Received));
    }
}
