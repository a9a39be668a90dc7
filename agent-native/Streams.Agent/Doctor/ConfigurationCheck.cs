using Streams.Agent.CommandLine;
using Streams.Agent.Configuration;
using Streams.Agent.Modules.Core.Identity;

namespace Streams.Agent.Doctor;

/// <summary>The configuration, the key and the state directory, as `run` would use them.</summary>
internal static class ConfigurationCheck
{
    public static void Add(List<DoctorCheck> checks, AgentArguments arguments)
    {
        AgentConfiguration configuration;
        try
        {
            configuration = ConfigurationLoader.Load(arguments);
            EnrolledIdentity.Complete(configuration);
        }
        catch (AgentException e)
        {
            checks.Add(DoctorCheck.Need("configuration", false, What(e.Message), Remedy(e.Message)));
            return;
        }

        if (configuration.Source.Length == 0 && arguments.Overrides.Count == 0)
        {
            checks.Add(DoctorCheck.Use("configuration", false, $"{ConfigurationLoader.DefaultFile} does not exist",
                "name a configuration with --config FILE (`streams up` makes one)"));
            return;
        }

        var errors = ConfigurationValidator.Validate(configuration, toConnect: true);
        foreach (var error in errors)
            checks.Add(DoctorCheck.Need("configuration", false, What(error), Remedy(error)));
        if (errors.Count > 0)
            return;
        checks.Add(DoctorCheck.Need("configuration", true, configuration.Source, ""));
        try
        {
            AgentIdentityFile.Read(configuration).Dispose();
            checks.Add(DoctorCheck.Need("key", true, configuration.Resolve(configuration.KeyFile), ""));
        }
        catch (AgentException e)
        {
            checks.Add(DoctorCheck.Need("key", false, What(e.Message), Remedy(e.Message)));
        }
    }

    // Messages of AgentException are "what; how to mend".
    private static string What(string message) => message.Split(';', 2)[0];

    private static string Remedy(string message) => message.Split(';', 2) is [_, var remedy] ? remedy.Trim() : message;
}
