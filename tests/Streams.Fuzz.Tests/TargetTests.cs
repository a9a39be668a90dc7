using Streams.Testing;

namespace Streams.Fuzz.Tests;

/// <summary>Every parser on its corpus and a second of changed inputs; longer runs are <c>./justw fuzz</c>.</summary>
public sealed class TargetTests
{
    private const ulong Seed = 20_260_101;

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Whatever_the_bytes_it_is_quick_small_and_keeps_its_invariants(string name)
    {
        var target = FuzzTargets.Find(name);
        var runner = new FuzzRunner(target, Corpus.Of(target)).RunCorpus();
        runner.Mutate(Seed, TimeSpan.FromSeconds(1));
        Assert.True(runner.Outcomes > 1, $"{name} did one and the same with all of {runner.Inputs} inputs");
    }

    [Fact]
    public void Every_folder_of_inputs_is_of_a_target()
    {
        var folder = Path.GetDirectoryName(Corpus.Of(FuzzTargets.All[0]).Folder)!;
        Assert.Empty(Directory.GetDirectories(folder).Select(Path.GetFileName).Except(FuzzTargets.All.Select(target => target.Name)));
        Assert.Equal(FuzzTargets.All.Count, FuzzTargets.All.Select(target => target.Name).Distinct().Count());
    }

    [Theory]
    [InlineData("throws", "IndexOutOfRangeException")]
    [InlineData("allocates", "bytes allocated")]
    [InlineData("hangs", " ms (at most 100)")]
    [InlineData("lies", "two forms")]
    public void A_parser_that_breaks_is_found_and_its_input_is_kept(string how, string message)
    {
        using var folder = new TempDirectory("fuzz");
        var corpus = new Corpus(folder.File("broken"));
        var runner = new FuzzRunner(new Broken(how), corpus).RunCorpus();
        var broken = Assert.Throws<FuzzException>(() => runner.Mutate(Seed, TimeSpan.FromSeconds(60)));
        Assert.Contains(message, broken.Message, StringComparison.Ordinal);
        var (_, input) = Assert.Single(corpus.Read());
        Assert.Equal(Broken.Trigger, input[..Broken.Trigger.Length]);
        Assert.Throws<FuzzException>(() => new FuzzRunner(new Broken(how), corpus).RunCorpus());
    }

    [Fact]
    public void A_seed_makes_the_same_inputs_again()
    {
        byte[][] pool = [[1, 2, 3, 4, 5, 6, 7, 8], [9, 9, 9]];
        var first = new Mutator(7, new Broken("throws"));
        var second = new Mutator(7, new Broken("throws"));
        var other = new Mutator(8, new Broken("throws"));
        var differs = false;
        for (var i = 0; i < 1000; i++)
        {
            var input = first.Next(pool).ToArray();
            Assert.Equal(input, second.Next(pool).ToArray());
            differs |= !other.Next(pool).SequenceEqual(input);
        }

        Assert.True(differs);
    }

    /// <summary>A parser with a fault behind two bytes that no seed has.</summary>
    private sealed class Broken(string how) : FuzzTarget
    {
        private byte[] _kept = [];

        public static byte[] Trigger => [0xff, 0x7f];

        public override string Name => "broken";

        public override IEnumerable<byte[]> Seeds() => [[1, 2, 3]];

        public override int Run(ReadOnlySpan<byte> input)
        {
            if (!input.StartsWith(Trigger))
            {
                return input.Length > 0 && input[0] == Trigger[0] ? 1 : 0;
            }

            switch (how)
            {
                case "throws":
                    return input[input.Length];
                case "allocates":
                    _kept = new byte[(2 << 20) + _kept.Length % 2];
                    return 2;
                case "hangs":
                    Thread.Sleep(150);
                    return 2;
                default:
                    Must(false, "two forms");
                    return 2;
            }
        }
    }
}
