using System.Globalization;
using System.Net;

namespace Streams.ClickHouse.Embedded.Hosting;

/// <summary>Reads the command line; the first mistake ends it with one line that says what and how to mend.</summary>
internal static class OptionParser
{
    public const string Usage = """
        streams-clickhouse --data DIR [options]     ClickHouse (libchdb) behind ClickHouse's HTTP interface, on loopback

          --data DIR             where the engine keeps its data; made with mode 0700 when absent
          --listen ADDRESS:PORT  loopback address and port; port 0 takes a free one (default 127.0.0.1:8123)
          --user-file FILE       users, one 'user:password' a line, mode 0600 (default DIR/credentials, generated when absent)
          --user NAME            with --password-file FILE, instead of a user file: one user, the password in a file of mode 0600
          --reader NAME          with --reader-password-file FILE: one more user, who may only read
          --library PATH         libchdb.so (default: STREAMS_LIBCHDB, then beside the program)
          --max-connections N    statements at a time, 1 to 256 (default 16)
          --max-memory SIZE      bytes for the engine, with K, M or G; at least 256M (default: 90 % of the machine)
          --max-body SIZE        bytes of one request's body after decoding, 1M to 16G (default 1G)
          --wait-limit SECONDS   how long a request waits for a free connection, 0 to 600 (default 10)
          --check                only load libchdb and say whether that worked
          --log-level LEVEL      trace, debug, info, warn, error or none (default info)
        """;

    /// <returns>Null with one line for the operator in <paramref name="error"/>.</returns>
    public static ServerOptions? Parse(ReadOnlySpan<string> arguments, out string? error)
    {
        var options = new ServerOptions { Data = "" };
        error = null;
        for (var i = 0; i < arguments.Length && error is null; i++)
        {
            var name = arguments[i];
            string? value = null;
            var equals = name.IndexOf('=');
            if (name.StartsWith("--", StringComparison.Ordinal) && equals > 0)
                (name, value) = (name[..equals], name[(equals + 1)..]);
            if (!Known.Contains(name))
                error = $"unknown option '{name}'; --help lists them";
            else if (value is null && ++i >= arguments.Length)
                error = $"{name} needs a value; --help shows which";
            else
                options = Apply(options, name, value ?? arguments[i], out error);
        }

        if (error is null && options.Data.Length == 0)
            error = "--data DIR is missing: where shall the engine keep its data?";
        if (error is null && options.User is null != options.PasswordFile is null)
            error = "--user and --password-file go together; give both or neither";
        if (error is null && options.Reader is null != options.ReaderPasswordFile is null)
            error = "--reader and --reader-password-file go together; give both or neither";
        if (error is null && options.User is not null && options.UserFile is not null)
            error = "--user-file and --user exclude each other; give one of them";
        return error is null ? options : null;
    }

    private static readonly HashSet<string> Known =
    [
        "--data", "--listen", "--user-file", "--user", "--password-file", "--reader", "--reader-password-file", "--library", "--max-connections", "--max-memory", "--max-body", "--wait-limit", "--log-level",
    ];

    private static ServerOptions Apply(ServerOptions options, string name, string value, out string? error)
    {
        error = value.Length == 0 ? $"{name} is empty; --help shows what it takes" : null;
        switch (name)
        {
            case "--data":
                return options with { Data = value };
            case "--user-file":
                return options with { UserFile = value };
            case "--user":
                return options with { User = value };
            case "--password-file":
                return options with { PasswordFile = value };
            case "--reader":
                return options with { Reader = value };
            case "--reader-password-file":
                return options with { ReaderPasswordFile = value };
            case "--library":
                return options with { Library = value };
            case "--listen":
                if (!IPEndPoint.TryParse(value, out var endpoint) || !value.Contains(':'))
                    error ??= $"--listen {value} is not ADDRESS:PORT; for example 127.0.0.1:8123";
                else if (!IPAddress.IsLoopback(endpoint.Address))
                    error ??= $"--listen {value} is not a loopback address; passwords would cross the network in the clear, so put a TLS proxy in front and use 127.0.0.1";
                else
                    return options with { Listen = endpoint };
                return options;
            case "--max-connections":
                return options with { MaxConnections = (int)Number(name, value, 1, 256, ref error) };
            case "--wait-limit":
                return options with { WaitLimit = TimeSpan.FromSeconds(Number(name, value, 0, 600, ref error)) };
            case "--max-memory":
                return options with { MaxMemory = Size(name, value, 256L << 20, 1L << 50, "256M", "1048576G", ref error) };
            case "--max-body":
                return options with { MaxBody = Size(name, value, 1L << 20, 16L << 30, "1M", "16G", ref error) };
            default:
                LogLevel? level = value switch
                {
                    "trace" => LogLevel.Trace,
                    "debug" => LogLevel.Debug,
                    "info" or "information" => LogLevel.Information,
                    "warn" or "warning" => LogLevel.Warning,
                    "error" => LogLevel.Error,
                    "none" => LogLevel.None,
                    _ => null,
                };
                if (level is null)
                    error ??= $"--log-level {value} is not one of trace, debug, info, warn, error, none";
                return options with { LogLevel = level ?? LogLevel.Information };
        }
    }

    private static long Number(string name, string value, long least, long most, ref string? error)
    {
        if (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            return number;
        error ??= $"{name} {value} is out of range; it takes {least} to {most}";
        return least;
    }

    private static long Size(string name, string value, long least, long most, string leastText, string mostText, ref string? error)
    {
        var shift = value.Length == 0 ? 0 : char.ToUpperInvariant(value[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        var digits = shift == 0 ? value : value[..^1];
        if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most >> shift && number << shift >= least)
            return number << shift;
        error ??= $"{name} {value} is out of range; it takes {leastText} to {mostText}, for example 2G";
        return least;
    }
}
