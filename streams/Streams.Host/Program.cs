using System.CommandLine;
using Streams.Host.Commands;
using Streams.Host.Terminal;

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
