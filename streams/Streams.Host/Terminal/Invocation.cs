using System.CommandLine;
using Streams.Local;
using Streams.Queue;

namespace Streams.Host.Terminal;

/// <summary>
/// Parses and runs one command line. Whatever goes wrong ends as one line on standard error that says what and how to mend it, without a
/// stack trace: exit 2 for a command line that cannot be understood, 1 for a command that failed.
/// </summary>
internal static class Invocation
{
    /// <summary>Ctrl-C or SIGTERM: the library would end the process after two seconds, in the middle of a drain.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parse = root.Parse(args);
        if (parse.Errors.Count > 0)
        {
            // The library's own action prints the whole help after an error and buries it.
            // An unknown word on the root also reports a missing command, which says less.
            var error = parse.Errors.FirstOrDefault(error => error.Message.Contains('\'')) ?? parse.Errors[0];
            Console.Error.WriteLine($"streams: {OneLine(error.Message).TrimEnd('.')}; see: {PathOf(parse)} --help");
            return 2;
        }
        try
        {
            return await parse.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = StopPatience,
            });
        }
        catch (CommandFailure failure)
        {
            Console.Error.WriteLine($"streams: {OneLine(failure.Message)}");
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
        catch (Exception failure) when (failure is LocalException or QueueException or IOException or UnauthorizedAccessException or HttpRequestException
            or TimeoutException)
        {
            Console.Error.WriteLine($"streams: {OneLine(failure.Message)}");
            return 1;
        }
    }

    private static string PathOf(ParseResult parse)
    {
        var names = new Stack<string>();
        for (var symbol = parse.CommandResult; symbol is not null; symbol = symbol.Parent as System.CommandLine.Parsing.CommandResult)
        {
            names.Push(symbol.Command is RootCommand ? "streams" : symbol.Command.Name);
        }
        return string.Join(' ', names);
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split(['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
