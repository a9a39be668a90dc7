using System.Diagnostics;

namespace Streams.Wire.Tests;

/// <summary>The published vectors against an implementation that shares nothing with ours: another language, another author of the primitives.</summary>
public sealed class PythonVerifierTests
{
    [Fact]
    public async Task EveryVectorFollowsFromItsInputs()
    {
        var (exit, output) = await RunAsync();
        Assert.True(exit == 0, output);
        // One line a file at least: a verifier that reads nothing says nothing.
        var published = Directory.GetFiles(VectorFolder.File(""), "*.json").Select(path => Path.GetFileName(path)!);
        Assert.All(published, name => Assert.Contains(name, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AVectorThatIsChangedIsFound()
    {
        var (exit, output) = await RunAsync("--mutants");
        Assert.True(exit == 0, output);
        Assert.Matches("[1-9][0-9]{2,} mutants found", output);
    }

    private static async Task<(int Exit, string Output)> RunAsync(params string[] arguments)
    {
        // Not the python of a PATH: the packages are Debian's. No byte code is left in the tree.
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-B", VectorFolder.File("verify.py"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }
}
