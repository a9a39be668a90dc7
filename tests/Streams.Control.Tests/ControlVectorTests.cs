using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Streams.Control.Commands;
using Streams.Control.Identity;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Control.Tests;

/// <summary>tests/vectors/documents-v1.json: what goes in messages, and certificates of who signs commands. Keys as in handshake-v1.json.</summary>
public sealed class ControlVectorTests
{
    private const long Second = 1_750_000_000;
    private const ulong Microsecond = Second * 1_000_000UL;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    [Fact]
    public void Our_code_still_makes_the_published_documents()
    {
        var made = JsonSerializer.Serialize(Make(), Indented) + "\n";
        var path = Path.Combine(Root(), "tests", "vectors", "documents-v1.json");
        if (Environment.GetEnvironmentVariable("STREAMS_UPDATE_VECTORS") == "1")
        {
            File.WriteAllText(path, made);
        }

        Assert.Equal(File.ReadAllText(path), made);
    }

    private static Dictionary<string, string> Make()
    {
        using var root = SigningKey.FromSeed(Fill(0x10));
        using var service = SigningKey.FromSeed(Fill(0x60));
        using var agent = SigningKey.FromSeed(Fill(0x30));
        using var next = SigningKey.FromSeed(Fill(0x31));
        using var person = SigningKey.FromSeed(Fill(0x61));
        var asService = FleetCertificate.Create(root, CertificateUse.Service, "actions", service.PublicKey, Second - 60, Second + 3600, 43);
        var asOperator = FleetCertificate.Create(root, CertificateUse.Operator, "alice", person.PublicKey, Second - 60, Second + 3600, 44);
        var status = CommandDocument.Create(Fields("status", 1), CommandSigner.Service, asService, service);
        var kill = CommandDocument.Create(
            Fields("kill", 2) with { Arguments = [new("pid", "4711"), new("reason", "gründlich")] }, CommandSigner.Operator, asOperator, person);
        using var identity = new AgentIdentity("agent-001", SigningKey.FromSeed(Fill(0x30)));
        var received = CommandAnswer.Create(CommandEvent.Of(status, CommandState.Received, Microsecond), identity);
        var finished = CommandAnswer.Create(CommandEvent.Of(status, CommandState.Finished, Microsecond, "grün", "{\"pid\":4711}"), identity);
        return new Dictionary<string, string>
        {
            ["service_seed"] = Hex(Fill(0x60)),
            ["service_pk"] = Hex(service.PublicKey),
            ["operator_seed"] = Hex(Fill(0x61)),
            ["operator_pk"] = Hex(person.PublicKey),
            ["service_certificate"] = Hex(asService.Bytes),
            ["operator_certificate"] = Hex(asOperator.Bytes),
            ["status"] = Hex(status.Bytes.Span),
            ["status_digest"] = Hex(status.Digest),
            ["status_request"] = Hex(CommandRequest.Write(status.Bytes.Span)),
            ["status_received"] = Hex(received.Bytes.Span),
            ["status_finished"] = Hex(finished.Bytes.Span),
            ["status_response"] = Hex(CommandResponse.Write(finished)),
            ["kill"] = Hex(kill.Bytes.Span),
            ["kill_digest"] = Hex(kill.Digest),
            ["token"] = Hex(Encoding.ASCII.GetBytes(Token(root))),
            ["token_pk"] = Hex(TokenKey(Token(root))),
            ["enroll_request"] = Hex(Enrol(Token(root), agent)),
            ["enroll_answer"] = Hex(IdentityJson.Write(
                new EnrolAnswer(RegistryRefusal.None, "agent-001", Base64Url.EncodeToString(agent.PublicKey), 9), IdentityJson.Default.EnrolAnswer)),
            ["rotate_request"] = Hex(IdentityJson.Write(
                new RegistryRequest(Rotate: RotateRequest.Create("agent-001", agent, next)), IdentityJson.Default.RegistryRequest)),
        };
    }

    private static string Token(SigningKey root) =>
        $"0123456789abcdef.{Base64Url.EncodeToString(Fill(0x70))}.{Base64Url.EncodeToString(root.PublicKey)}";

    private static byte[] TokenKey(string text)
    {
        Assert.True(EnrolmentToken.TryParse(text, out var token));
        using var key = token.DeriveKey();
        return key.PublicKey.ToArray();
    }

    private static byte[] Enrol(string text, SigningKey agent)
    {
        Assert.True(EnrolmentToken.TryParse(text, out var token));
        return IdentityJson.Write(new RegistryRequest(EnrolRequest.Create(token, "host-1", agent.PublicKey)), IdentityJson.Default.RegistryRequest);
    }

    private static CommandFields Fields(string kind, ulong number) => new()
    {
        Id = new CommandId(number),
        Kind = kind,
        Actor = "alice",
        Counter = number,
        IssuedAt = Microsecond,
        NotBefore = Microsecond,
        Deadline = Microsecond + 600_000_000,
        Agents = ["agent-001", "agent-002"],
    };

    private static byte[] Fill(byte value) => [.. Enumerable.Range(0, 32).Select(i => (byte)(value + i * 3))];

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    private static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Streams.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("not inside the repository");
        }

        return directory;
    }
}
