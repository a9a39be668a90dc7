using Streams.Agent.Modules.Core.Commands;
using Streams.Control.Commands;

namespace Streams.Agent.Tests.Commands;

/// <summary>A process that begins a command, says so, and never ends it: something to kill between journal and result.</summary>
internal static class CommandHost
{
    public const string Verb = "command";

    /// <param name="args">Journal, and the document in hex.</param>
    public static int Run(string[] args)
    {
        var clock = new CommandClock(TimeProvider.System, DateTimeOffset.UnixEpoch);
        using var journal = CommandJournal.OpenAt(args[0], clock);
        if (!CommandDocument.TryParse(Convert.FromHexString(args[1]), out var document) || !journal.TryBegin(document))
            return 1;
        Console.WriteLine("begun");
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }
}
