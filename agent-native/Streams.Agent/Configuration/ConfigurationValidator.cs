namespace Streams.Agent.Configuration;

/// <summary>The one place that decides whether a configuration may be used.</summary>
internal static class ConfigurationValidator
{
    /// <summary>Checks every bound and what the settings demand of each other. Returns one message per lack, in the table's order.</summary>
    /// <param name="toConnect">False for commands that never connect: then identity (agent_id, fleet_roots) may be missing.</param>
    public static List<string> Validate(AgentConfiguration configuration, bool toConnect)
    {
        var where = configuration.Source.Length == 0 ? "" : " in " + configuration.Source;
        var errors = new List<string>();
        foreach (var setting in SettingTable.All)
        {
            if (!toConnect && setting.Name == "agent_id" && configuration.AgentId.Length == 0)
                continue;
            if (setting.Check(configuration) is { } wrong)
                errors.Add($"{setting.Name} {wrong}; set it{where} or with {setting.Option}");
        }

        if (toConnect && configuration.FleetRoots.Count == 0)
            errors.Add($"fleet_roots is empty, allowed is 1 or 2 public keys; add the root key that `streams keys` prints{where} or with --fleet-roots");
        if (configuration.BatchQuietMilliseconds < configuration.BatchBusyMilliseconds)
        {
            errors.Add($"observability.batch_quiet_ms is {configuration.BatchQuietMilliseconds}, allowed is at least observability.batch_busy_ms " +
                $"({configuration.BatchBusyMilliseconds}); set it{where} or with --observability-batch-quiet-ms");
        }

        CheckNotBuilt(errors, "analysis", configuration.AnalysisEnabled, where);
        CheckNotBuilt(errors, "threat_intel", configuration.ThreatIntelEnabled, where);
        CheckNotBuilt(errors, "policy", configuration.PolicyEnabled, where);
        return errors;
    }

    /// <summary>Throws the first lack.</summary>
    /// <exception cref="ConfigurationException">The configuration cannot be used.</exception>
    public static void Require(AgentConfiguration configuration, bool toConnect)
    {
        var errors = Validate(configuration, toConnect);
        if (errors.Count > 0)
            throw new ConfigurationException(errors[0]);
    }

    private static void CheckNotBuilt(List<string> errors, string module, bool enabled, string where)
    {
        if (enabled)
            errors.Add($"{module}.enabled is true, but the {module} module is not built in yet; set it to false{where}");
    }
}
