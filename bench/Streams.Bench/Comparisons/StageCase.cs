using System.Diagnostics;
using System.Text.Json;
using Streams.Bench.Running;

namespace Streams.Bench.Comparisons;

/// <summary>The graphs of gateway and worker beside loops by hand. They run in Streams.Microbench, which may see those projects; this one drives them from outside.</summary>
internal static class StageCase
{
    private static readonly JsonSerializerOptions Flat = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <exception cref="BenchFailure">It ended with another exit code than 0.</exception>
    public static async Task<StageRates> MeasureAsync(string directory, CancellationToken stop)
    {
        var file = Path.Combine(directory, "stages.json");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [RepositoryPrograms.Microbench(), "stages", "--json", file])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(stop);
            var errors = (await process.StandardError.ReadToEndAsync(stop)).Trim();
            await output;
            await process.WaitForExitAsync(stop);
            return process.ExitCode == 0
                ? JsonSerializer.Deserialize<StageRates>(await File.ReadAllTextAsync(file, stop), Flat)!
                : throw new BenchFailure($"Streams.Microbench stages ended with {process.ExitCode}: {errors}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }
}
