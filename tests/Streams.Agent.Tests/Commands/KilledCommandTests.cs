using System.Diagnostics;
using Streams.Control.Commands;

namespace Streams.Agent.Tests.Commands;

public sealed class KilledCommandTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_process_that_is_killed_in_a_command_leaves_it_unknown_for_ever()
    {
        using var agent = new CommandFixture(new ManualClock());
        var document = agent.Sign();
        agent.Journal.Dispose();
        using (var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!,
            ["exec", typeof(CommandHost).Assembly.Location, CommandHost.Verb, agent.JournalPath, Convert.ToHexString(document.Bytes.Span)])
        {
            RedirectStandardOutput = true,
        })!)
        {
            Assert.Equal("begun", await process.StandardOutput.ReadLineAsync().WaitAsync(Patience));
            process.Kill();
            Assert.True(process.WaitForExit(Patience));
        }

        agent.Restart();
        agent.Control.SessionBegan();
        Assert.Equal(CommandState.Unknown, agent.Answers.Single().State);
        Assert.Equal(CommandState.Unknown, (await agent.AskAsync(document)).State);
        agent.Restart();
        Assert.Equal(CommandState.Unknown, (await agent.AskAsync(document)).State);
        Assert.Equal(0, agent.Runs);
    }
}
