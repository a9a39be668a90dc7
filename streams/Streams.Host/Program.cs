using System.CommandLine;
using Streams.Host.Commands;
using Streams.Host.Terminal;

// The shared pool keeps 32 arrays of a size and core by default; a block in flight has some thousand batches, each with two. Read once, at the pool's first use.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_BUFFERS_SHAREDARRAYPOOL_MAXARRAYSPERPARTITION", "2048");

var root = new RootCommand("Streams: from kernel events to ClickHouse rows.")
{
    UpCommand.Create(),
    ServeCommand.Create(),
    SqlCommand.Create(),
    TailCommand.Create(),
    AgentsCommand.Create(),
    EnrolCommand.Create(),
    LossCommand.Create(),
    VerifyCommand.Create(),
    DeadLettersCommand.Create(),
    KeysCommand.Create(),
    StatusCommand.Create(),
    CommandCommand.Create(),
    TokenCommand.Create(),
    DoctorCommand.Create(),
};
return await Invocation.RunAsync(root, args);
