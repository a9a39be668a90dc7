using System.Diagnostics;
using Streams.Testing;

namespace Streams.Worker.Tests.Faults;

/// <summary>A fault of a streams-clickhouse exactly at the rename of a new part of one table.</summary>
internal sealed class AtRename(string directory)
{
    private readonly string _trigger = Path.Combine(directory, "at-rename");

    /// <summary>Compiles the library and has the process load it at its next start.</summary>
    public void Prepare(ClickHouseProcess process)
    {
        var library = Path.Combine(directory, "at_rename.so");
        var source = Path.Combine(Repository.Root, "tests/Streams.Worker.Tests/Faults/at_rename.c");
        using var clang = Process.Start(new ProcessStartInfo("clang", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
        {
            RedirectStandardError = true,
        })!;
        var errors = clang.StandardError.ReadToEnd();
        clang.WaitForExit();
        Assert.True(clang.ExitCode == 0, errors);
        process.Environment["LD_PRELOAD"] = library;
        process.Environment["STREAMS_AT_RENAME"] = _trigger;
    }

    /// <summary>The process ends at the next part of a table: its token is written, its rows are not there.</summary>
    public Task KillAsync(ClickHouseProcess process, string table) => ArmAsync(process, 'k', table);

    /// <summary>The files of the next part of a table are emptied; the insert succeeds.</summary>
    public Task EmptyAsync(ClickHouseProcess process, string table) => ArmAsync(process, 'e', table);

    /// <summary>Whether it waits for its part.</summary>
    public bool IsArmed => File.Exists(_trigger);

    /// <summary>Waits until it killed.</summary>
    public async Task KilledAsync(ClickHouseProcess process)
    {
        await process.Server.Process.Exited.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(IsArmed);
    }

    private async Task ArmAsync(ClickHouseProcess process, char fault, string table)
    {
        var (database, name) = table.Split('.') is [var before, var behind] ? ($"'{before}'", behind) : ("currentDatabase()", table);
        var directory = await process.QueryAsync($"SELECT data_paths[1] FROM system.tables WHERE database = {database} AND name = '{name}'");
        Assert.StartsWith("/", directory);
        await File.WriteAllTextAsync(_trigger + ".new", fault + directory);
        File.Move(_trigger + ".new", _trigger, overwrite: true);
    }
}
