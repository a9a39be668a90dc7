using System.Net;
using Streams.Gateway.Auth;
using Streams.Wire.Keys;

namespace Streams.Gateway.Tests.Auth;

public sealed class AdmissionTests
{
    [Theory]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("10.0.0.1", "::ffff:10.0.0.1", true)]
    [InlineData("2001:db8:1:100::1", "2001:db8:1:1ff:ffff::2", true)]
    [InlineData("2001:db8:1:100::1", "2001:db8:1:200::1", false)]
    [InlineData("10.0.0.1", "::a00:1", false)]
    public void A_source_is_an_IPv4_address_or_an_IPv6_56(string left, string right, bool same) =>
        Assert.Equal(same, SourcePrefix.Of(IPAddress.Parse(left)) == SourcePrefix.Of(IPAddress.Parse(right)));

    [Fact]
    public void A_bucket_gives_its_burst_then_its_rate_and_no_more()
    {
        var buckets = new SourceBuckets(rate: 10, burst: 3);
        var source = SourcePrefix.Of(IPAddress.Loopback);
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => buckets.TryTake(source, 0)));
        Assert.True(buckets.TryTake(source, 100));
        Assert.False(buckets.TryTake(source, 100));
        Assert.True(buckets.TryTake(SourcePrefix.Of(IPAddress.Parse("10.0.0.1")), 100));
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => buckets.TryTake(source, 100_000)));
    }

    [Fact]
    public void A_flood_of_addresses_costs_bounded_memory_and_shares_one_bucket()
    {
        var buckets = new SourceBuckets(rate: 1, burst: 2);
        var admitted = 0;
        for (uint i = 0; i < SourceBuckets.MaxSources + 1000; i++)
        {
            admitted += buckets.TryTake(new SourcePrefix(i, false), 0) ? 1 : 0;
        }

        Assert.InRange(buckets.Sources, 1, SourceBuckets.MaxSources + 1);
        Assert.Equal(SourceBuckets.MaxSources + 2, admitted);
        Assert.True(buckets.TryTake(new SourcePrefix(1UL << 40, false), 10_000));
        Assert.InRange(buckets.Sources, 1, 3);
    }

    [Fact]
    public async Task The_gate_refuses_who_waits_too_long()
    {
        using var gate = new HandshakeGate(1, TimeSpan.FromMilliseconds(30));
        Assert.True(await gate.EnterAsync(CancellationToken.None));
        Assert.False(await gate.EnterAsync(CancellationToken.None));
        gate.Leave();
        Assert.True(await gate.EnterAsync(CancellationToken.None));
    }

    [Fact]
    public void Ephemeral_pairs_are_given_out_once_and_come_back_at_the_end()
    {
        using var arena = new KeyArena(256);
        var supply = new EphemeralSupply(arena);
        supply.Fill();
        var taken = Enumerable.Range(0, 150).Select(_ => supply.Take()!).ToList();
        Assert.Equal(150, taken.Select(key => Convert.ToHexString(key.PublicKey)).Distinct().Count());
        taken.ForEach(key => key.Dispose());
        supply.Dispose();
        Assert.Equal(0, arena.Rented);
    }
}
