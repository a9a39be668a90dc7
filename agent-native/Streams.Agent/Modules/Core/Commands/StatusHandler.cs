using Streams.Control.Commands;

namespace Streams.Agent.Modules.Core.Commands;

/// <summary>The command <c>status</c>: what `streams-agent status --json` prints on the host.</summary>
internal sealed class StatusHandler(Func<byte[]> report) : ICommandHandler
{
    public string Kind => "status";

    public byte[] Run(CommandDocument command) => report();
}
