using Streams.Agent.CommandLine;
using Streams.Agent.Configuration;
using Streams.Agent.Doctor;
using Streams.Agent.Modules.Core;
using Streams.Agent.Modules.Core.Identity;
using Streams.Agent.Status;

namespace Streams.Agent;

internal static class Program
{
    private static int Main(string[] args)
    {
        try
        {
            return Run(ArgumentParser.Parse(args));
        }
        catch (UsageException e)
        {
            return Fail(e.Message, 2);
        }
        catch (AgentException e)
        {
            return Fail(e.Message, 1);
        }
        catch (DllNotFoundException e)
        {
            return Fail($"{e.Message.Split('\n')[0]}; put the libsodium.so that was built with streams-agent beside it", 1);
        }
        catch (Exception e)
        {
            return Fail($"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}; this is a defect, please report it with `streams-agent doctor --json`", 1);
        }
    }

    private static int Run(AgentArguments arguments)
    {
        switch (arguments.Verb)
        {
            case AgentVerb.Help:
                Console.Out.Write(HelpText.Print());
                return 0;
            case AgentVerb.Version:
                Console.Out.WriteLine($"streams-agent {AgentVersion.Text}");
                return 0;
            case AgentVerb.Doctor:
                return DoctorCommand.Run(arguments, Console.Out);
            case AgentVerb.Status:
                return StatusCommand.Run(arguments, Console.Out);
            case AgentVerb.Spool:
                return SpoolCommand.Run(arguments, Console.Out);
        }

        var configuration = ConfigurationLoader.Load(arguments);
        switch (arguments.Verb)
        {
            case AgentVerb.Enrol:
                ConfigurationValidator.Require(configuration, toConnect: false);
                return EnrolCommand.Run(configuration, Console.Out);
            case AgentVerb.RotateKey:
                ConfigurationValidator.Require(configuration, toConnect: false);
                return RotateCommand.Run(configuration, Console.Out);
            case AgentVerb.Run:
                ConfigurationValidator.Require(configuration, toConnect: false);
                EnrolCommand.Before(configuration, static line => Console.Error.WriteLine("streams-agent: " + line));
                break;
        }

        EnrolledIdentity.Complete(configuration);
        if (arguments.Verb == AgentVerb.PrintConfig)
        {
            ConfigurationValidator.Require(configuration, toConnect: false);
            Console.Out.WriteLine(ConfigurationPrinter.Print(configuration));
            return 0;
        }

        ConfigurationValidator.Require(configuration, toConnect: true);
        return AgentHost.Run(configuration);
    }

    private static int Fail(string message, int code)
    {
        Console.Error.WriteLine("streams-agent: " + message);
        return code;
    }
}
