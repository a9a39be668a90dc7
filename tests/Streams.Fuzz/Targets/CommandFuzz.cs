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
    }

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { "\\ud800", "\"command\"", "null", "{\"command\":\"", "\"state\"", "\"id\"", "started", "status" }.Select(Utf8)];

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
        if (CommandEvent.TryRead(input, out var word))
        {
            // What is kept of it, every reader takes.
            Must(CommandEvent.TryRead(word.Write(), out var again) && again.Result?.GetRawText() == word.Result?.GetRawText(), "an answer does not travel");
            outcome |= 4;
        }

        return outcome;
    }
}
