using System.Diagnostics;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>One of our programs, run as its user runs it.</summary>
internal static class Run
{
    public const string Host = "streams/Streams.Host/bin/Release/net10.0/streams.dll";
    public const string Bench = "bench/Streams.Bench/bin/Release/net10.0/Streams.Bench.dll";

    public static Task<Result> HostAsync(params string[] arguments) => DotnetAsync(Host, arguments, TimeSpan.FromSeconds(60));

    public static async Task<Result> DotnetAsync(string assembly, string[] arguments, TimeSpan deadline,
        IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(Repository.Root, assembly), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(deadline);
        }
        catch (TimeoutException)
        {
            process.Kill();
            throw;
        }
        return new Result(process.ExitCode, await output, await errors);
    }
}

/// <param name="Code">Exit code.</param>
internal sealed record Result(int Code, string Output, string Errors)
{
    /// <summary>Standard error is one line, without a stack trace.</summary>
    public string ErrorLine => Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    public override string ToString() => $"exit {Code}\n{Output}\n{Errors}";
}
