using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Fuzz.Targets;

/// <summary>What a fleet root signs: certificates, lists of revoked ones, successions. Parsed before anybody has verified them.</summary>
internal sealed class StatementFuzz : FuzzTarget
{
    public override string Name => "statement";

    public override IEnumerable<byte[]> Seeds()
    {
        using var root = SigningKey.FromSeed(new byte[32]);
        using var key = SigningKey.FromSeed([1, .. new byte[31]]);
        yield return FleetCertificate.Create(root, CertificateUse.Gateway, "gateway-1", key.PublicKey, 1, 2, 3).Bytes.ToArray();
        yield return FleetCertificate.Create(root, CertificateUse.Operator, "ann", key.PublicKey, 1, 2, 3).Bytes.ToArray();
        yield return RevocationList.Create(root, 7, 8, [3, 5, 9]).Bytes.ToArray();
        yield return RootSuccession.Create(root, key.PublicKey, 4).Bytes.ToArray();
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        var outcome = 0;
        if (FleetCertificate.TryParse(input, out var certificate))
        {
            Must(certificate!.Bytes.SequenceEqual(input) && certificate.NotBefore <= certificate.NotAfter && certificate.PublicKey.Length == 32, "certificate");
            outcome |= 1;
        }

        if (RevocationList.TryParse(input, out var list))
        {
            Must(list!.Bytes.SequenceEqual(input) && list.Serials.Count <= RevocationList.MaxSerials && list.Serials.All(list.Contains), "revocations");
            outcome |= 2 + (list.Serials.Count << 8);
        }

        if (RootSuccession.TryParse(input, out var succession))
        {
            Must(succession!.Bytes.SequenceEqual(input) && SigningKey.IsPublicKey(succession.NewRoot), "succession");
            outcome |= 4;
        }

        return outcome;
    }
}
