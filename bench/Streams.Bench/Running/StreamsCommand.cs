using System.Diagnostics;

namespace Streams.Bench.Running;

/// <summary>Runs one `streams` command as its user would and gives what it printed.</summary>
internal static class StreamsCommand
{
    /// <exception cref="BenchFailure">It ended with another exit code than 0; the message is its own.</exception>
    public static async Task<string> RunAsync(string[] arguments, CancellationToken stop)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [RepositoryPrograms.Host(), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync(stop);
        var output = await process.StandardOutput.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return process.ExitCode == 0 ? output : throw new BenchFailure((await errors).Trim());
    }
}
