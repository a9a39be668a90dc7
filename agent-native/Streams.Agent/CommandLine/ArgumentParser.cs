using Streams.Agent.Configuration;

namespace Streams.Agent.CommandLine;

/// <summary>
/// A strict parser: one verb, options as <c>--name value</c> or <c>--name=value</c>, every setting is an option, everything else is refused.
/// System.CommandLine 3.0.0 for the same verbs was measured at +1.4 MB of binary and +1.7 MB resident (a tenth of the agent's whole budget).
/// </summary>
internal static class ArgumentParser
{
    /// <summary>Parses the arguments after the program's name.</summary>
    /// <exception cref="UsageException">An unknown verb or option, a missing value, an option given twice or not meant for the verb.</exception>
    public static AgentArguments Parse(ReadOnlySpan<string> arguments)
    {
        AgentVerb? verb = null;
        string? file = null;
        var json = false;
        var overrides = new List<KeyValuePair<string, string>>();
        for (var i = 0; i < arguments.Length; i++)
        {
            var argument = arguments[i];
            if (!argument.StartsWith('-'))
            {
                if (verb is not null)
                    throw new UsageException($"unexpected argument '{argument}'; run `streams-agent --help`");
                verb = Verb(argument);
                continue;
            }

            var equals = argument.IndexOf('=');
            var name = equals < 0 ? argument : argument[..equals];
            switch (name)
            {
                case "--help" or "-h" when equals < 0:
                    return new AgentArguments(AgentVerb.Help, null, false, []);
                case "--version" when equals < 0:
                    verb = Only(verb, AgentVerb.Version, name);
                    break;
                case "--print-config" when equals < 0:
                    verb = Only(verb, AgentVerb.PrintConfig, name);
                    break;
                case "--json" when equals < 0:
                    json = true;
                    break;
                case "--config":
                    if (file is not null)
                        throw new UsageException("--config is given twice; keep one");
                    file = Value(arguments, ref i, argument, equals);
                    break;
                default:
                    overrides.Add(Override(arguments, ref i, argument, name, equals, overrides));
                    break;
            }
        }

        var chosen = verb ?? AgentVerb.Run;
        if (json && chosen is not (AgentVerb.Doctor or AgentVerb.Status or AgentVerb.Spool))
            throw new UsageException("--json belongs to doctor, status and spool; leave it out");
        return new AgentArguments(chosen, file, json, overrides);
    }

    private static KeyValuePair<string, string> Override(
        ReadOnlySpan<string> arguments,
        ref int i,
        string argument,
        string name,
        int equals,
        List<KeyValuePair<string, string>> overrides)
    {
        if (SettingTable.FindOption(name) is null)
            throw new UsageException($"unknown option '{name}'; run `streams-agent --help`");
        foreach (var earlier in overrides)
        {
            if (earlier.Key == name)
                throw new UsageException($"{name} is given twice; keep one");
        }

        return new KeyValuePair<string, string>(name, Value(arguments, ref i, argument, equals));
    }

    private static AgentVerb Verb(string text) => text switch
    {
        "run" => AgentVerb.Run,
        "doctor" => AgentVerb.Doctor,
        "status" => AgentVerb.Status,
        "spool" => AgentVerb.Spool,
        "enroll" => AgentVerb.Enrol,
        "rotate-key" => AgentVerb.RotateKey,
        _ => throw new UsageException($"unknown command '{text}'; the commands are run, enroll, rotate-key, doctor, status and spool"),
    };

    private static AgentVerb Only(AgentVerb? verb, AgentVerb asked, string option) =>
        verb is null or AgentVerb.Run ? asked : throw new UsageException($"{option} does not go with another command; leave one out");

    private static string Value(ReadOnlySpan<string> arguments, ref int i, string argument, int equals)
    {
        if (equals >= 0)
            return argument[(equals + 1)..];
        if (i + 1 >= arguments.Length || arguments[i + 1].StartsWith("--", StringComparison.Ordinal))
            throw new UsageException($"{argument} needs a value; write {argument} VALUE");
        return arguments[++i];
    }
}
