using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Wire.Tests.Handshake;

/// <summary>What roots say of gateways and of each other: only the right root is heard, and nothing said before can be said again.</summary>
public sealed class FleetRootTests
{
    [Fact]
    public void A_list_survives_its_bytes_and_is_believed_from_a_pinned_root_only()
    {
        using var root = SigningKey.Generate();
        using var stranger = SigningKey.Generate();
        Assert.True(RevocationList.TryParse(RevocationList.Create(root, 7, 1000, [9, 3, 3, 40]).Bytes, out var list));
        Assert.Equal(7UL, list!.Version);
        Assert.Equal(1000, list.Issued);
        Assert.Equal([3UL, 9, 40], list.Serials);
        Assert.True(list.Contains(9));
        Assert.False(list.Contains(4));
        Assert.True(list.IsSignedBy(Roots(root)));
        Assert.False(list.IsSignedBy(Roots(stranger)));
    }

    [Fact]
    public void Every_changed_byte_of_a_list_is_noticed()
    {
        using var root = SigningKey.Generate();
        var bytes = RevocationList.Create(root, 1, 1000, [3, 9]).Bytes.ToArray();
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            Assert.False(RevocationList.TryParse(bytes, out var list) && list!.IsSignedBy(Roots(root)), $"byte {i}");
            bytes[i] ^= 1;
        }
    }

    [Fact]
    public void A_list_and_a_certificate_are_one_line_of_text()
    {
        using var root = SigningKey.Generate();
        var list = RevocationList.Create(root, 1, 1000, Enumerable.Range(1, RevocationList.MaxSerials).Select(serial => (ulong)serial));
        Assert.True(RevocationList.TryParseText($" {list.ToText()}\n", out var read));
        Assert.Equal(list.Serials, read.Serials);
        var certificate = FleetCertificate.Create(root, CertificateUse.Operator, new string('a', 63), root.PublicKey, 1, 2, 3);
        Assert.True(FleetCertificate.TryParseText($" {certificate.ToText()}", out var parsed));
        Assert.True(parsed.Bytes.SequenceEqual(certificate.Bytes));
        var succession = RootSuccession.Create(root, root.PublicKey, 7);
        Assert.True(RootSuccession.TryParseText($" {succession.ToText()}\n", out var again));
        Assert.True(again.Bytes.SequenceEqual(succession.Bytes));
        Assert.Equal(7000UL, again.Version);
        foreach (var text in new[] { "", "\n", "A", "AAAA", "!", certificate.ToText() + "A", new string('A', 4096), certificate.ToText().Trim()[..^4], succession.ToText()[..^4] + "!!!!" })
        {
            Assert.False(RootSuccession.TryParseText(text, out _), text);
            Assert.False(FleetCertificate.TryParseText(text, out _), text);
            Assert.False(RevocationList.TryParseText(text, out _), text);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_list_of_another_length_is_none(int cut)
    {
        using var root = SigningKey.Generate();
        var bytes = RevocationList.Create(root, 1, 1000, [3]).Bytes;
        Assert.False(RevocationList.TryParse(cut == 0 ? [.. bytes, 0] : bytes[..^1], out _));
    }

    [Fact]
    public void The_newest_root_names_its_successor_and_the_successor_retires_it()
    {
        using var first = SigningKey.Generate();
        using var second = SigningKey.Generate();
        var named = Reparsed(RootSuccession.Create(first, second.PublicKey, 1000));
        Assert.True(named.TryApply(Roots(first), out var both));
        Assert.Equal([first.PublicKey.ToArray(), second.PublicKey.ToArray()], both!.Keys);
        Assert.True(Reparsed(RootSuccession.Create(second, second.PublicKey, 1001)).TryApply(both, out var one));
        Assert.Equal([second.PublicKey.ToArray()], one!.Keys);
    }

    [Fact]
    public void An_old_root_names_nobody_once_its_successor_is_pinned()
    {
        using var first = SigningKey.Generate();
        using var second = SigningKey.Generate();
        using var third = SigningKey.Generate();
        var pinned = Roots(first, second);
        Assert.False(RootSuccession.Create(first, third.PublicKey, 1000).TryApply(pinned, out _));
        Assert.False(RootSuccession.Create(first, first.PublicKey, 1000).TryApply(pinned, out _));
        Assert.True(RootSuccession.Create(second, third.PublicKey, 1000).TryApply(pinned, out var roots));
        Assert.Equal([second.PublicKey.ToArray(), third.PublicKey.ToArray()], roots!.Keys);
        Assert.False(RootSuccession.Create(second, third.PublicKey, 1000).TryApply(roots, out _));
    }

    [Fact]
    public void Every_changed_byte_of_a_succession_is_noticed()
    {
        using var first = SigningKey.Generate();
        using var second = SigningKey.Generate();
        var bytes = RootSuccession.Create(first, second.PublicKey, 1000).Bytes.ToArray();
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            Assert.False(RootSuccession.TryParse(bytes, out var succession) && succession!.TryApply(Roots(first), out _), $"byte {i}");
            bytes[i] ^= 1;
        }
    }

    private static FleetRoots Roots(params SigningKey[] keys) => new([.. keys.Select(key => key.PublicKey.ToArray())]);

    private static RootSuccession Reparsed(RootSuccession succession)
    {
        Assert.True(RootSuccession.TryParse(succession.Bytes, out var parsed));
        return parsed!;
    }
}
