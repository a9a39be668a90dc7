using Streams.ClickHouse.Embedded.Engine;
using Streams.ClickHouse.Embedded.Hosting;

// Exit codes: 0 after an orderly stop, 1 when something outside is not as it must be, 2 for a mistake on the command line.
if (args is ["--help"] or ["-h"])
{
    Console.WriteLine(OptionParser.Usage);
    return 0;
}

if (args is ["--version"])
{
    Console.WriteLine($"streams-clickhouse {typeof(EngineHost).Assembly.GetName().Version?.ToString(3)}");
    return 0;
}

if (args is ["--check"])
{
    if (EngineLibrary.Load(null) is { } lack)
        return Fail(lack, 1);
    Console.WriteLine("libchdb loads");
    return 0;
}

if (OptionParser.Parse(args, out var mistake) is not { } options)
    return Fail(mistake, 2);
using var directory = DataDirectory.Open(options.Data, out var error);
if (directory is null)
    return Fail(error, 1);
if (UserFile.Read(options, out error) is not { } credentials)
    return Fail(error, 1);
if (EngineLibrary.Load(options.Library) is { } missing)
    return Fail(missing, 1);
DroppedTables.Remove(options.Data);
using var host = EngineHost.Start(Path.GetFullPath(options.Data), options.MaxMemory, options.MaxConnections);
if (host is null)
    return Fail($"the engine cannot open --data {options.Data}; its own message is above, if it gave one", 1);
return await Server.RunAsync(options, credentials, host) is { } failure ? Fail(failure, 1) : 0;

static int Fail(string? line, int code)
{
    Console.Error.WriteLine($"streams-clickhouse: {line}");
    return code;
}
