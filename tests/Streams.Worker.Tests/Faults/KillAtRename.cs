using System.Diagnostics;
using Streams.Testing;

namespace Streams.Worker.Tests.Faults;

/// <summary>Ends a streams-clickhouse exactly at the rename of a new part of one table: token written, rows not there.</summary>
internal sealed class KillAtRename(string directory)
{
    private readonly string _trigger = Path.Combine(directory, "kill-at-rename");

    /// <summary>Compiles the library and has the process load it at its next start.</summary>
    public void Prepare(ClickHouseProcess process)
    {
        var library = Path.Combine(directory, "kill_at_rename.so");
        var source = Path.Combine(Repository.Root, "tests/Streams.Worker.Tests/Faults/kill_at_rename.c");
        using var clang = Process.Start(new ProcessStartInfo("clang", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
        {
            RedirectStandardError = true,
        })!;
        var errors = clang.StandardError.ReadToEnd();
        clang.WaitForExit();
        Assert.True(clang.ExitCode == 0, errors);
        process.Environment["LD_PRELOAD"] = library;
        process.Environment["STREAMS_KILL_AT_RENAME"] = _trigger;
    }

    /// <summary>Arms it for the next part of a table.</summary>
    public async Task ArmAsync(ClickHouseProcess process, string table)
    {
        var directory = await process.QueryAsync(
            $"SELECT data_paths[1] FROM system.tables WHERE database = currentDatabase() AND name = '{table}'");
        Assert.StartsWith("/", directory);
        await File.WriteAllTextAsync(_trigger + ".new", directory);
        File.Move(_trigger + ".new", _trigger, overwrite: true);
    }

    /// <summary>Waits until it struck.</summary>
    public async Task StruckAsync(ClickHouseProcess process)
    {
        await process.Server.Process.Exited.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(File.Exists(_trigger));
    }
}
