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

    /// <summary>An agent names it of what it cannot read, so that nobody takes its refusal of junk for one of the command.</summary>
    [Fact]
    public void What_cannot_be_read_has_a_digest_too()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var made = issuer.Sign(Now);
        Assert.Equal(made.Digest, CommandDocument.DigestOf(CommandRequest.Carried(CommandRequest.Write(made.Bytes.Span))));
        byte[] later = [2, .. made.Bytes.Span[1..]];
        Assert.Null(CommandRequest.Read(CommandRequest.Write(later)));
        Assert.Equal(later, CommandRequest.Carried(CommandRequest.Write(later)));
        Assert.NotEqual(made.Digest.ToArray(), CommandDocument.DigestOf(later));
        Assert.Empty(CommandRequest.Carried("{"u8));
        Assert.Equal(CommandDocument.DigestOf([]), CommandDocument.DigestOf(new byte[64]));
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
