using LibbpfSharp.Handles;
using LibbpfSharp.Maps;

namespace LibbpfSharp.Tests.Maps;

public sealed class TypedMapTests : KernelTest
{
    private const uint NoPrealloc = 1;

    [Theory]
    [InlineData(BpfMapType.Hash)]
    [InlineData(BpfMapType.LruHash)]
    public void Hash_keeps_entries_and_says_what_is_absent(BpfMapType type)
    {
        using var map = BpfMap.Create(type, "hash", 8, 4, 64);
        var view = new HashMap<ulong, int>(map);
        Assert.False(view.TryGet(7, out _));
        Assert.True(view.Set(7, 70));
        Assert.True(view.Set(8, 80));
        Assert.False(view.Set(7, 71, MapUpdate.NoExist));
        Assert.False(view.Set(9, 90, MapUpdate.Exist));
        Assert.True(view.TryGet(7, out var value));
        Assert.Equal(70, value);

        var keys = new HashSet<ulong>();
        for (ulong? key = null; view.TryNextKey(key, out var next); key = next)
        {
            keys.Add(next);
        }
        Assert.Equal((ulong[])[7, 8], keys.Order());

        Assert.True(view.TryTake(8, out value));
        Assert.Equal(80, value);
        Assert.False(view.TryTake(8, out _));
        Assert.True(view.Remove(7));
        Assert.False(view.Remove(7));
    }

    [Fact]
    public void Full_hash_throws_with_errno()
    {
        using var map = BpfMap.Create(BpfMapType.Hash, "small", 4, 4, 2);
        var view = new HashMap<int, int>(map);
        view.Set(1, 1);
        view.Set(2, 2);
        var error = Assert.Throws<BpfException>(() => view.Set(3, 3));
        Assert.Equal(7, error.Errno); // E2BIG
        Assert.Contains("small", error.Message);
    }

    [Fact]
    public void Array_has_all_entries_and_refuses_others()
    {
        using var map = BpfMap.Create(BpfMapType.Array, "array", 4, 8, 3);
        var view = new ArrayMap<ulong>(map) { [2] = 5 };
        Assert.Equal(3, view.Length);
        Assert.Equal(0ul, view[0]);
        Assert.Equal(5ul, view[2]);
        Assert.Throws<BpfException>(() => view[3]);
    }

    [Theory]
    [InlineData(BpfMapType.PerCpuArray)]
    [InlineData(BpfMapType.PerCpuHash)]
    public void Per_cpu_entries_have_a_value_for_each_cpu(BpfMapType type)
    {
        using var map = BpfMap.Create(type, "percpu", 4, 8, 4);
        var view = new PerCpuMap<uint, ulong>(map);
        var written = Enumerable.Range(100, BpfMap.PossibleCpus).Select(i => (ulong)i).ToArray();
        Assert.True(view.Set(1, written));
        var read = new ulong[BpfMap.PossibleCpus];
        Assert.True(view.TryGet(1, read));
        Assert.Equal(written, read);
        Assert.Equal(type == BpfMapType.PerCpuArray, view.TryGet(2, read));
    }

    [Fact]
    public void Per_cpu_values_that_are_no_multiple_of_eight_are_unpadded()
    {
        using var map = BpfMap.Create(BpfMapType.PerCpuHash, "odd", 4, 12, 4);
        var view = new PerCpuMap<uint, Triple>(map);
        var written = Enumerable.Range(0, BpfMap.PossibleCpus).Select(i => new Triple(i, i + 1, i + 2)).ToArray();
        view.Set(9, written);
        var read = new Triple[BpfMap.PossibleCpus];
        Assert.True(view.TryGet(9, read));
        Assert.Equal(written, read);
        Assert.True(view.Remove(9));
        Assert.False(view.TryGet(9, read));
    }

    [Fact]
    public void Trie_finds_the_longest_prefix()
    {
        using var map = BpfMap.Create(BpfMapType.LpmTrie, "lpm", 8, 4, 16, NoPrealloc);
        var view = new LpmTrie<uint, int>(map);
        view.Set(8, Address(10, 0, 0, 0), 1);
        view.Set(16, Address(10, 1, 0, 0), 2);
        Assert.True(view.TryMatch(Address(10, 1, 2, 3), out var value));
        Assert.Equal(2, value);
        Assert.True(view.TryMatch(Address(10, 2, 2, 3), out value));
        Assert.Equal(1, value);
        Assert.False(view.TryMatch(Address(11, 0, 0, 1), out _));
        Assert.True(view.Remove(16, Address(10, 1, 0, 0)));
        Assert.True(view.TryMatch(Address(10, 1, 2, 3), out value));
        Assert.Equal(1, value);
    }

    [Theory]
    [InlineData(BpfMapType.ArrayOfMaps)]
    [InlineData(BpfMapType.HashOfMaps)]
    public void Maps_in_maps_are_swapped_whole(BpfMapType type)
    {
        using var first = BpfMap.Create(BpfMapType.Hash, "first", 4, 4, 8);
        using var second = BpfMap.Create(BpfMapType.Hash, "second", 4, 4, 8);
        using var outer = BpfMap.Create(type, "outer", 4, 4, 2, inner: first);
        new HashMap<int, int>(second).Set(1, 11);
        var view = new MapOfMaps<uint>(outer);
        Assert.Null(view.Get(0));
        view.Set(0, first);
        Assert.True(view.Holds(0, first));
        view.Set(0, second);
        Assert.False(view.Holds(0, first));
        using (var opened = view.Get(0))
        {
            Assert.True(new HashMap<int, int>(opened!).TryGet(1, out var value));
            Assert.Equal(11, value);
        }
        Assert.True(view.Remove(0));
        Assert.Null(view.Get(0));
    }

    [Fact]
    public void Views_refuse_maps_of_another_shape()
    {
        using var map = BpfMap.Create(BpfMapType.Hash, "hash", 8, 4, 4);
        Assert.Throws<ArgumentException>(() => new HashMap<int, int>(map));
        Assert.Throws<ArgumentException>(() => new ArrayMap<int>(map));
    }

    [Fact]
    public void Operations_do_not_allocate()
    {
        using var map = BpfMap.Create(BpfMapType.Hash, "hash", 8, 8, 4);
        var view = new HashMap<ulong, ulong>(map);
        view.Set(1, 1);
        view.TryGet(1, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            view.Set(1, 2);
            view.TryGet(1, out _);
            view.TryGet(2, out _);
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static uint Address(byte a, byte b, byte c, byte d) => BitConverter.ToUInt32([a, b, c, d]);

    private readonly record struct Triple(int A, int B, int C);
}
