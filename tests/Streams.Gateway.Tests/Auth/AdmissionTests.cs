using System.Net;
using Streams.Gateway.Auth;
using Streams.Wire.Keys;

namespace Streams.Gateway.Tests.Auth;

public sealed class AdmissionTests
{
    private static readonly SourcePrefix One = SourcePrefix.Of("192.0.2.1");
    private static readonly SourcePrefix Other = SourcePrefix.Of("192.0.2.2");

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
        using var gate = new HandshakeGate(1, 1, TimeSpan.FromMilliseconds(30));
        var (place, _) = await gate.EnterAsync(One);
        Assert.Equal((null, HandshakeGate.Full), await gate.EnterAsync(Other));
        place!.Leave();
        // Given back once, whoever says so again.
        place.Leave();
        Assert.Equal(1, gate.Free);
        Assert.NotNull((await gate.EnterAsync(Other)).Place);
    }

    [Fact]
    public async Task A_source_has_its_share_of_the_gate_and_waits_for_that_alone()
    {
        using var gate = new HandshakeGate(8, 2, TimeSpan.FromMilliseconds(50));
        var first = await gate.EnterAsync(One);
        Assert.NotNull((await gate.EnterAsync(One)).Place);
        Assert.Equal((null, HandshakeGate.SourceFull), await gate.EnterAsync(One));
        var waits = gate.EnterAsync(One);
        Assert.NotNull((await gate.EnterAsync(Other)).Place);
        Assert.Equal((5, 2), (gate.Free, gate.Sources));
        first.Place!.Leave();
        Assert.NotNull((await waits).Place);
    }

    [Fact]
    public async Task A_source_without_a_handshake_is_forgotten()
    {
        using var gate = new HandshakeGate(8, 1, TimeSpan.Zero);
        for (uint i = 0; i < 1000; i++)
        {
            var source = new SourcePrefix(i, false);
            var (place, _) = await gate.EnterAsync(source);
            Assert.Equal(HandshakeGate.SourceFull, (await gate.EnterAsync(source)).Refusal);
            place!.Leave();
        }

        Assert.Equal((0, 8), (gate.Sources, gate.Free));
    }

    [Fact]
    public void Places_of_a_source_are_counted_and_forgotten_with_the_last()
    {
        var places = new SourcePlaces(2);
        Assert.Equal([true, true, false], Enumerable.Range(0, 3).Select(_ => places.TryEnter(One)));
        Assert.True(places.TryEnter(Other));
        places.Leave(One);
        Assert.True(places.TryEnter(One));
        places.Leave(One);
        places.Leave(One);
        places.Leave(Other);
        Assert.Equal(0, places.Sources);
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
