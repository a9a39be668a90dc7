namespace Streams.Local.Processes;

/// <summary>Finds programs in PATH, and our own programs beside the running one.</summary>
internal static class Programs
{
    /// <summary>The path of a program given by path or by name.</summary>
    /// <exception cref="LocalException">There is none; the line says how to get it.</exception>
    public static string Resolve(string name, string program)
    {
        if (program.Contains('/'))
            return File.Exists(program) ? Path.GetFullPath(program) : throw new LocalException($"{name} was not found at {program}.");
        // sbin is where Debian puts nats-server, and not in every user's PATH.
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "") + ":/usr/sbin:/usr/local/sbin";
        foreach (var directory in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            var candidate = Path.Combine(directory, program);
            if (File.Exists(candidate))
                return candidate;
        }

        throw new LocalException($"{program} is not installed. Run `./justw setup`, or: apt-get install {program}");
    }

    /// <summary>
    /// The command of one of our .NET programs: the given path, or the executable or .dll of that name beside the running program.
    /// </summary>
    public static (string FileName, string[] Arguments) Own(string name, string? given)
    {
        var path = given ?? Beside(name) ?? throw new LocalException(
            $"{name} was not found beside {AppContext.BaseDirectory}. Build it, or give its path.");
        if (!File.Exists(path))
            throw new LocalException($"{name} was not found at {path}.");
        return path.EndsWith(".dll", StringComparison.Ordinal) ? (DotnetHost(), [path]) : (path, []);
    }

    private static string? Beside(string name)
    {
        var executable = Path.Combine(AppContext.BaseDirectory, name);
        if (File.Exists(executable))
            return executable;
        return File.Exists(executable + ".dll") ? executable + ".dll" : null;
    }

    private static string DotnetHost()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host && File.Exists(host))
            return host;
        var own = Environment.ProcessPath;
        return own is not null && Path.GetFileName(own) == "dotnet" ? own : Resolve("dotnet", "dotnet");
    }
}
