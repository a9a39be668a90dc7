using Streams.Host.Terminal;

namespace Streams.Host.Up;

/// <summary>Where the other programs are: beside this one when installed, in their build folders when run from the repository.</summary>
internal static class ProgramPaths
{
    public static string ClickHouse() => Find(
        "streams-clickhouse", "STREAMS_CLICKHOUSE_PROGRAM",
        "storage/Streams.ClickHouse.Embedded/bin/Release/net10.0/streams-clickhouse.dll", "streams-clickhouse.dll");

    /// <summary>Debian's nats-server by name, unless a path is given.</summary>
    public static string Nats() => Environment.GetEnvironmentVariable("STREAMS_NATS_PROGRAM") is { Length: > 0 } given
        ? given : "nats-server";

    public static string Agent() => Find(
        "streams-agent", "STREAMS_AGENT_PROGRAM", "agent-native/Streams.Agent/bin/publish/streams-agent", "streams-agent");

    private static string Find(string name, string variable, string inRepository, string beside)
    {
        if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } given)
        {
            return File.Exists(given) ? given : throw new CommandFailure($"{variable}={given}: no such file");
        }
        var here = Path.Combine(AppContext.BaseDirectory, beside);
        if (File.Exists(here))
        {
            return here;
        }
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var built = Path.Combine(folder.FullName, inRepository);
            if (File.Exists(Path.Combine(folder.FullName, "Streams.sln")) && File.Exists(built))
            {
                return built;
            }
        }
        throw new CommandFailure($"{name} was not found; run ./justw build, or set {variable} to its path");
    }
}
