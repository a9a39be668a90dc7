using System.Buffers.Text;
using System.Text;
using Streams.Control.Commands;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Control.Tests.Commands;

public sealed class CommandAnswerTests : IDisposable
{
    private readonly AgentIdentity _agent = new("agent-1", SigningKey.Generate());
    private readonly CommandEvent _word = new(
        new CommandId(7).ToString(), Base64Url.EncodeToString(new byte[32]), CommandState.Finished, 9, "x", "{\"a\":[1,2]}");

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void An_answer_says_after_a_round_trip_what_was_signed()
    {
        var made = CommandAnswer.Create(_word, _agent);
        Assert.True(CommandAnswer.TryParse(made.Bytes.Span, out var read));
        Assert.Equal((_word, "agent-1"), (read.Word, read.AgentId));
        Assert.True(read.IsSignedBy(_agent.PublicKey));
        using var other = SigningKey.Generate();
        Assert.False(read.IsSignedBy(other.PublicKey));
        Assert.False(read.IsSignedBy([]));
        Assert.Equal(made.Bytes.ToArray(), CommandResponse.Read(CommandResponse.Write(made))!.Bytes.ToArray());
    }

    [Fact]
    public void No_changed_shortened_or_lengthened_byte_passes()
    {
        var bytes = CommandAnswer.Create(_word, _agent).Bytes.ToArray();
        for (var i = 0; i < bytes.Length; i++)
        {
            for (var bit = 1; bit < 256; bit <<= 1)
            {
                var changed = bytes.ToArray();
                changed[i] ^= (byte)bit;
                Assert.False(CommandAnswer.TryParse(changed, out var answer) && answer.IsSignedBy(_agent.PublicKey), $"byte {i}, bit {bit}");
            }

            Assert.False(CommandAnswer.TryParse(bytes.AsSpan(0, i), out _), $"{i} bytes");
        }

        Assert.False(CommandAnswer.TryParse([.. bytes, 0], out _));
    }

    [Theory]
    [InlineData(CommandState.Received, true)]
    [InlineData(CommandState.Started, true)]
    [InlineData(CommandState.Failed, true)]
    [InlineData(CommandState.Expired, true)]
    [InlineData(CommandState.Refused, true)]
    [InlineData(CommandState.Unknown, true)]
    [InlineData(CommandState.Queued, false)]
    [InlineData(CommandState.Sent, false)]
    [InlineData((CommandState)99, false)]
    public void An_agent_says_its_own_states(CommandState state, bool may)
    {
        var word = _word with { State = state };
        if (may)
            Assert.Equal(word, CommandAnswer.Create(word, _agent).Word);
        else
            Assert.Throws<ArgumentException>(() => CommandAnswer.Create(word, _agent));
    }

    /// <summary>Each is signed by the agent and yet no answer.</summary>
    [Fact]
    public void What_is_not_in_the_one_form_is_refused_whoever_signed_it()
    {
        Assert.True(CommandAnswer.TryParse(Signed(), out var good));
        Assert.Equal((_word, true), (good.Word, good.IsSignedBy(_agent.PublicKey)));
        Assert.False(CommandAnswer.TryParse(Signed(version: 2), out _));
        foreach (var agent in new[] { "", "Agent", "a.b", "agent\0", new string('a', 64) })
            Assert.False(CommandAnswer.TryParse(Signed(agent: agent), out _), agent);
        foreach (var state in new[] { "", "sent", "queued", "Finished", "finished ", "10", "finished\0" })
            Assert.False(CommandAnswer.TryParse(Signed(state: state), out _), state);
        foreach (var detail in new[] { "a\nb", "\u007f", new string('d', CommandLimits.MaxDetailBytes + 1) })
            Assert.False(CommandAnswer.TryParse(Signed(detail: detail), out _), detail);
        // Broken UTF-8 would be the same text as another answer's.
        Assert.False(CommandAnswer.TryParse(Signed(raw: [0xff]), out _));
        // A length that nothing follows costs nothing.
        Assert.False(CommandAnswer.TryParse(Signed(resultLength: uint.MaxValue), out _));
        Assert.False(CommandAnswer.TryParse(Signed(resultLength: int.MaxValue), out _));
    }

    /// <summary>Half a surrogate pair passes the parser and no writer; depth would fail whoever shows it.</summary>
    [Theory]
    [InlineData("", true)]
    [InlineData("\"\\ud800\"", false)]
    [InlineData("{\"\\udc00\":1}", false)]
    [InlineData("[[[[[[[[1]]]]]]]]", true)]
    [InlineData("[[[[[[[[[1]]]]]]]]]", false)]
    [InlineData("\"\\ud83d\\ude00\"", true)]
    [InlineData("{\"a\":1,\"a\":2}", false)]
    [InlineData("{\"a\":1} 2", false)]
    [InlineData("no", false)]
    [InlineData(" ", false)]
    public void A_result_is_what_every_reader_takes(string result, bool taken) =>
        Assert.Equal(taken, CommandAnswer.TryParse(Signed(result: result), out _));

    [Theory]
    [InlineData(new byte[] { (byte)'"', 0xa2, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xed, 0xa0, 0x80, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xc0, 0x80, (byte)'"' })]
    public void A_result_is_utf8(byte[] result) => Assert.Null(CommandResult.Normalise(result));

    [Fact]
    public void The_longest_answer_fits_a_frame_and_a_longer_result_is_none()
    {
        using var agent = new AgentIdentity(new string('a', 63), SigningKey.Generate());
        var word = _word with
        {
            State = CommandState.Received,
            Detail = new string('d', CommandLimits.MaxDetailBytes),
            Result = $"\"{new string('r', CommandLimits.MaxResultBytes - 2)}\"",
        };
        var answer = CommandAnswer.Create(word, agent);
        Assert.Equal(CommandAnswer.MaxBytes, answer.Bytes.Length);
        Assert.InRange(CommandResponse.Write(answer).Length, 1, (60 * 1024) - 1);
        Assert.Equal(word, CommandResponse.Read(CommandResponse.Write(answer))!.Word);
        Assert.Throws<ArgumentException>(() => CommandAnswer.Create(word with { Result = $"\"{new string('r', CommandLimits.MaxResultBytes - 1)}\"" }, agent));
    }

    [Fact]
    public void A_response_is_one_answer_in_its_one_spelling()
    {
        var text = Encoding.UTF8.GetString(CommandResponse.Write(CommandAnswer.Create(_word with { Detail = "" }, _agent)));
        var last = text[^3];
        foreach (var broken in new[]
        {
            text.Replace("{", "{\"more\":1,", StringComparison.Ordinal), text.Replace("}", $",{text[1..]}", StringComparison.Ordinal), text[..^1], "{}", "[]",
            "null", "{\"answer\":null}", "{\"answer\":\"\"}", "{\"answer\":\"AAAA\"}", text.Replace("\"}", "=\"}", StringComparison.Ordinal),
            text.Replace("\"}", " \"}", StringComparison.Ordinal), text[..^3] + (char)(last + 1) + "\"}",
        })
        {
            Assert.True(CommandResponse.Read(Encoding.UTF8.GetBytes(broken)) is not { } read || !read.IsSignedBy(_agent.PublicKey), broken);
        }

        Assert.Null(CommandResponse.Read(CommandSent.Write(new CommandId(7))));
        Assert.Equal(new CommandId(7), CommandSent.Read(CommandSent.Write(new CommandId(7))));
        Assert.Null(CommandSent.Read(Encoding.UTF8.GetBytes(text)));
        Assert.Null(CommandSent.Read("{\"sent\":\"7\"}"u8));
    }

    /// <summary>Written by hand and signed with the agent's key.</summary>
    private byte[] Signed(
        byte version = 1, string agent = "agent-1", string state = "finished", string detail = "x", byte[]? raw = null, string result = "{\"a\":[1,2]}",
        uint? resultLength = null)
    {
        var details = raw ?? Encoding.UTF8.GetBytes(detail);
        var results = Encoding.UTF8.GetBytes(result);
        byte[] content =
        [
            version, .. new byte[15], 7, .. new byte[32], (byte)agent.Length, .. Encoding.UTF8.GetBytes(agent), (byte)state.Length, .. Encoding.UTF8.GetBytes(state),
            .. new byte[7], 9, (byte)(details.Length >> 8), (byte)details.Length, .. details, .. Length(resultLength ?? (uint)results.Length), .. results,
        ];
        var digest = new byte[32];
        Sha256.Hash(content, digest);
        var signature = new byte[64];
        _agent.Key.Sign("command answer", digest, signature);
        return [.. content, .. signature];

        static byte[] Length(uint length) => [(byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length];
    }
}
