using System.Text;
using Streams.Control.Identity;
using Streams.Control.Operators;
using Streams.Wire.Crypto;

namespace Streams.Fuzz.Targets;

/// <summary>Tokens as text: one text for one token.</summary>
internal sealed class TokenFuzz : FuzzTarget
{
    private static readonly string Enrolment = MakeEnrolment();

    public override string Name => "token";

    public override int MaxBytes => 256;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Utf8(Enrolment);
        yield return Utf8($"streams-token.0011223344556677.{new string('A', 43)}");
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        var outcome = 0;
        if (EnrolmentToken.TryParse(text, out var enrolment))
        {
            Must(enrolment.Format() == text && EnrolmentToken.IsId(enrolment.Id), "an enrolment token has two texts");
            outcome |= 1;
        }

        if (OperatorToken.TryParse(text, out var token))
        {
            Must(token.Reveal() == text && OperatorToken.IsId(token.Id) && token.Matches(token.Hash()), "an operator's token has two texts");
            outcome |= 2;
        }

        return outcome + (text.Count(c => c == '.') * 4);
    }

    private static string MakeEnrolment()
    {
        using var root = SigningKey.FromSeed(new byte[32]);
        return $"0011223344556677.{new string('A', 43)}.{System.Buffers.Text.Base64Url.EncodeToString(root.PublicKey)}";
    }
}
