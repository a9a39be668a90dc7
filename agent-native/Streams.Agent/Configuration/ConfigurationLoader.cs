using Streams.Agent.CommandLine;
using Streams.Agent.Modules.Core.Identity;

namespace Streams.Agent.Configuration;

/// <summary>File, then options: the later wins.</summary>
internal static class ConfigurationLoader
{
    public const string DefaultFile = "/etc/streams-agent/agent.json";

    /// <summary>Reads the file named by the arguments (or the default one, if it exists) and applies the options.</summary>
    /// <exception cref="ConfigurationException">The file cannot be used or an option's value has the wrong kind.</exception>
    public static AgentConfiguration Load(AgentArguments arguments)
    {
        var configuration = arguments.ConfigurationFile is { } file ? ConfigurationReader.ReadFile(file)
            : File.Exists(DefaultFile) ? ConfigurationReader.ReadFile(DefaultFile)
            : new AgentConfiguration();
        foreach (var (option, text) in arguments.Overrides)
        {
            var setting = SettingTable.FindOption(option)!;
            if (setting.SetText(configuration, text) is { } wrong)
                throw new ConfigurationException($"{option} {wrong}; allowed is {setting.Allowed}");
        }

        if (configuration.Token.Length == 0)
            configuration.Token = Environment.GetEnvironmentVariable(EnrolCommand.TokenVariable) ?? "";
        return configuration;
    }
}
