using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Wire.Tests.Keys;

public sealed class KeyTests
{
    [Fact]
    public unsafe void SlotsAreDistinctErasedOnReturnAndReused()
    {
        using var arena = new KeyArena(1000);
        var slots = new KeySlot[1000];
        for (var i = 0; i < slots.Length; i++)
        {
            Assert.True(arena.TryRent(out slots[i]));
            new Span<byte>(slots[i].Pointer, KeySlot.Size).Fill((byte)(i % 255 + 1));
        }

        Assert.False(arena.TryRent(out var none));
        Assert.False(none.IsRented);
        for (var i = 0; i < slots.Length; i++)
        {
            Assert.True(new Span<byte>(slots[i].Pointer, KeySlot.Size).IndexOfAnyExcept((byte)(i % 255 + 1)) < 0);
        }

        arena.Return(ref slots[500]);
        Assert.False(slots[500].IsRented);
        arena.Return(ref slots[500]);
        Assert.Equal(999, arena.Rented);
        Assert.True(arena.TryRent(out var again));
        Assert.True(new Span<byte>(again.Pointer, KeySlot.Size).IndexOfAnyExcept((byte)0) < 0);
    }

    /// <summary>20,000 sessions: where a library's key objects would abort the process, this is one locked mapping of under 4 MB.</summary>
    [Fact]
    public void FortyThousandDirectionsAreThreeMappings()
    {
        var before = File.ReadAllLines("/proc/self/maps").Length;
        using var arena = new KeyArena(40_000);
        for (var i = 0; i < 40_000; i++)
        {
            Assert.True(arena.TryRent(out _));
        }

        // Other tests of this process map things meanwhile; 40,000 guarded keys would be 160,000 lines.
        Assert.InRange(File.ReadAllLines("/proc/self/maps").Length, 0, before + 200);
        Assert.Equal(40_000, arena.Rented);
        Assert.True(arena.UnlockedBytes is 0 or > 4096, "counted in pages");
    }

    [Fact]
    public void KeyFilesRoundTripAndEveryDamageIsNamed()
    {
        using var key = SigningKey.Generate();
        var content = KeyFile.Format(KeyFileKind.Gateway, key);
        Assert.True(KeyFile.TryParse("k", content, KeyFileKind.Gateway, out var read, out _));
        Assert.Equal(key.PublicKey.ToArray(), read!.PublicKey.ToArray());
        read.Dispose();

        AssertRefused([], "first line");
        AssertRefused("hello\n"u8.ToArray(), "first line");
        AssertRefused(KeyFile.Format(KeyFileKind.Root, key), "wrong kind");
        AssertRefused(content[..^5], "second line");
        AssertRefused(new byte[5000], "5000 bytes");
        for (var i = content.Length - 49; i < content.Length - 2; i++)
        {
            var damaged = content.ToArray();
            damaged[i] = damaged[i] == (byte)'A' ? (byte)'B' : (byte)'A';
            AssertRefused(damaged, "damaged");
        }

        static void AssertRefused(byte[] content, string says)
        {
            Assert.False(KeyFile.TryParse("/etc/streams/x.key", content, KeyFileKind.Gateway, out var none, out var error));
            Assert.Null(none);
            Assert.StartsWith("/etc/streams/x.key: ", error, StringComparison.Ordinal);
            Assert.Contains(says, error, StringComparison.Ordinal);
            Assert.DoesNotContain("\n", error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("agent-001", true)]
    [InlineData("0", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("A", false)]
    [InlineData("a.b", false)]
    [InlineData("a*", false)]
    [InlineData("a>", false)]
    [InlineData("ä", false)]
    [InlineData("a b", false)]
    [InlineData("a\n", false)]
    public void AgentIdsAreSafeAsSubjectsKeysAndFileNames(string id, bool valid) => Assert.Equal(valid, AgentId.IsValid(id));

    [Fact]
    public void AgentIdsHaveAtMost63Characters()
    {
        Assert.True(AgentId.IsValid(new string('a', 63)));
        Assert.False(AgentId.IsValid(new string('a', 64)));
    }
}
