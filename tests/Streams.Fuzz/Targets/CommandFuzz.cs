using Streams.Control.Commands;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Fuzz.Targets;

/// <summary>Commands as an agent reads them, before a signature was looked at, and what agents answer.</summary>
internal sealed class CommandFuzz : FuzzTarget
{
    public override string Name => "command";

    public override int MaxBytes => 8192;

    public override IEnumerable<byte[]> Seeds()
    {
        using var root = SigningKey.FromSeed(new byte[32]);
        using var key = SigningKey.FromSeed([1, .. new byte[31]]);
        var certificate = FleetCertificate.Create(root, CertificateUse.Service, "actions", key.PublicKey, 1, 2, 3);
        var document = CommandDocument.Create(
            new CommandFields
            {
                Id = new CommandId(7),
                Kind = "status",
                Actor = "ann",
                Counter = 1,
                IssuedAt = 2,
                NotBefore = 2,
                Deadline = 3,
                Agents = ["agent-1", "agent-2"],
                Arguments = [],
            },
            CommandSigner.Service, certificate, key);
        yield return document.Bytes.ToArray();
        yield return CommandRequest.Write(document.Bytes.Span);
        using var agent = new AgentIdentity("agent-1", SigningKey.FromSeed([2, .. new byte[31]]));
        var answer = CommandAnswer.Create(CommandEvent.Of(document, CommandState.Finished, 5, "why", "{\"a\":[1,\"b\"]}"), agent);
        yield return answer.Bytes.ToArray();
        yield return CommandResponse.Write(answer);
        yield return CommandAnswer.Create(CommandEvent.Of(document, CommandState.Refused, 5, "malformed"), agent).Bytes.ToArray();
        yield return CommandSent.Write(document.Id);
    }

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { "\\ud800", "\"command\"", "null", "{\"command\":\"", "{\"answer\":\"", "{\"sent\":\"", "started", "unknown", "status" }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var outcome = 0;
        if (CommandDocument.TryParse(input, out var document))
        {
            Must(document.Bytes.Span.SequenceEqual(input) && document.Fields.Validate() is null, "a command has two forms");
            Must(CommandRequest.Read(CommandRequest.Write(document.Bytes.Span)) is { } read && read.Bytes.Span.SequenceEqual(input), "it does not travel");
            outcome |= 1 + (document.Fields.Agents.Count << 8) + (document.Fields.Arguments.Count << 16);
        }

        outcome |= CommandRequest.Read(input) is null ? 0 : 2;
        outcome |= CommandSent.Read(input) is null ? 0 : 4;
        if (CommandAnswer.TryParse(input, out var answer))
        {
            Must(answer.Bytes.Span.SequenceEqual(input), "an answer has two forms");
            Must(CommandResponse.Read(CommandResponse.Write(answer)) is { } read && read.Bytes.Span.SequenceEqual(input), "an answer does not travel");
            Must(!answer.IsSignedBy(new byte[32]), "it is signed by nobody");
            outcome |= 8 + ((int)answer.Word.State << 4);
        }

        if (CommandResponse.Read(input) is { Word.Result: { Length: > 0 } result })
        {
            // What is kept of it, every reader takes.
            Must(CommandResult.Normalise(System.Text.Encoding.UTF8.GetBytes(result)) == result, "a result is not what it was");
            outcome |= 1 << 10;
        }

        return outcome;
    }
}
