using Streams.Control.Commands;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Control.Tests.Commands;

/// <summary>A fleet root with one key that it certified to sign commands.</summary>
internal sealed class Issuer : IDisposable
{
    private readonly SigningKey _root = SigningKey.Generate();

    public Issuer(CommandSigner signer, DateTimeOffset now)
    {
        Signer = signer;
        Certificate = Certify(signer, now.AddDays(-1), now.AddDays(30));
    }

    public CommandSigner Signer { get; }

    public SigningKey Key { get; } = SigningKey.Generate();

    public FleetCertificate Certificate { get; set; }

    public FleetRoots Roots => new(_root.PublicKey.ToArray());

    public FleetCertificate Certify(CommandSigner signer, DateTimeOffset from, DateTimeOffset to) =>
        FleetCertificate.Create(_root, signer.Use(), "actions", Key.PublicKey, from.ToUnixTimeSeconds(), to.ToUnixTimeSeconds(), 1);

    public CommandDocument Sign(DateTimeOffset now, Func<CommandFields, CommandFields>? change = null, CommandSigner? claimed = null)
    {
        var fields = new CommandFields
        {
            Id = CommandId.NewRandom(),
            Kind = "status",
            Actor = "alice",
            Counter = 1,
            IssuedAt = Micros(now),
            NotBefore = Micros(now),
            Deadline = Micros(now.AddMinutes(10)),
            Agents = ["agent-1", "agent-2"],
            Arguments = [new("a", "1"), new("b", "zwei ü")],
        };
        return CommandDocument.Create(change?.Invoke(fields) ?? fields, claimed ?? Signer, Certificate, Key);
    }

    public void Dispose()
    {
        Key.Dispose();
        _root.Dispose();
    }

    public static ulong Micros(DateTimeOffset at) => (ulong)((at - DateTimeOffset.UnixEpoch).Ticks / 10);
}

/// <summary>A clock that stands where it is put.</summary>
internal sealed class SetClock(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}
