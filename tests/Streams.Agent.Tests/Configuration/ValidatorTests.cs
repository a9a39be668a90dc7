using System.Text;
using Streams.Agent.CommandLine;
using Streams.Agent.Configuration;

namespace Streams.Agent.Tests.Configuration;

public sealed class ValidatorTests
{
    private const string Root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    [Fact]
    public void A_minimal_configuration_is_allowed() => Assert.Empty(ConfigurationValidator.Validate(Minimal(), toConnect: true));

    [Theory]
    [InlineData("agent_id", "", "missing")]
    [InlineData("agent_id", "Web-1", "[a-z0-9]")]
    [InlineData("agent_id", "-web", "[a-z0-9]")]
    [InlineData("agent_id", "a234567890123456789012345678901234567890123456789012345678901234", "{0,62}")]
    [InlineData("gateway", "127.0.0.1:8080", "ws")]
    [InlineData("gateway", "https://gw:8080/v1/agent", "allowed is ws")]
    [InlineData("gateway", "wss://gw:8080/v1/agent", "this build has no TLS: use streams-agent-tls")]
    [InlineData("link.gateways", "ws://gw:8080/v1/agent,wss://gw:8080/v1/agent", "this build has no TLS: use streams-agent-tls")]
    [InlineData("link.proxy", "socks5://proxy:1", "http://[USER:PASSWORD@]HOST:PORT")]
    [InlineData("link.proxy", "http://user:secret@proxy/path", "is neither http://")]
    [InlineData("gateway", "ws://user@gw/v1/agent", "ws://HOST:PORT")]
    [InlineData("gateway", "ws://gw/v1/agent?x=1", "ws://HOST:PORT")]
    [InlineData("key_file", "", "1 to 4096")]
    [InlineData("fleet_roots", "", "1 or 2")]
    [InlineData("fleet_roots", "short", "32 bytes")]
    [InlineData("fleet_roots", Root + "," + Root + "," + Root, "at most 2")]
    [InlineData("state_directory", "", "1 to 4096")]
    [InlineData("log_level", "loud", "debug, info, warn or error")]
    [InlineData("spool.size_mib", "31", "32 to 1048576")]
    [InlineData("spool.size_mib", "1048577", "32 to 1048576")]
    [InlineData("link.retention_bytes", "1024", "524288 to 2097152")]
    [InlineData("link.retention_bytes", "2097153", "524288 to 2097152")]
    [InlineData("telemetry.interval_seconds", "0", "1 to 3600")]
    [InlineData("telemetry.interval_seconds", "3601", "1 to 3600")]
    [InlineData("observability.ring_bytes", "131072", "262144 to 16777216")]
    [InlineData("observability.ring_bytes", "300000", "power of two")]
    [InlineData("observability.batch_rows", "0", "1 to 65536")]
    [InlineData("observability.batch_rows", "65537", "1 to 65536")]
    [InlineData("observability.batch_busy_ms", "9", "10 to 60000")]
    [InlineData("observability.batch_quiet_ms", "60001", "10 to 60000")]
    [InlineData("observability.batch_quiet_ms", "50", "at least observability.batch_busy_ms")]
    [InlineData("observability.barrier_seconds", "0", "1 to 3600")]
    [InlineData("observability.exclude_cgroups", "relative", "absolute path")]
    [InlineData("observability.exclude_cgroups", "0", "numeric id")]
    [InlineData("analysis.enabled", "true", "not built in yet")]
    [InlineData("threat_intel.enabled", "true", "not built in yet")]
    [InlineData("policy.enabled", "true", "not built in yet")]
    public void A_value_out_of_its_bounds_is_refused_with_its_name_and_bound(string name, string value, string bound)
    {
        var configuration = Minimal();
        Assert.Null(SettingTable.Find(name)!.SetText(configuration, value));
        var error = Assert.Single(ConfigurationValidator.Validate(configuration, toConnect: true));
        Assert.StartsWith(name + " ", error);
        Assert.Contains(bound, error);
        Assert.DoesNotContain('\n', error);
    }

    [Theory]
    [InlineData("telemetry.interval_seconds", "1")]
    [InlineData("telemetry.interval_seconds", "3600")]
    [InlineData("observability.ring_bytes", "262144")]
    [InlineData("observability.exclude_cgroups", "/streams,12345")]
    [InlineData("gateway", "ws://[::1]:8080/v1/agent")]
    [InlineData("link.gateways", "ws://gw-1:8080/v1/agent,ws://gw-2:8080")]
    [InlineData("link.proxy", "http://user:secret@proxy:3128")]
    [InlineData("link.proxy", "environment")]
    [InlineData("link.proxy", "")]
    [InlineData("link.tls_ca_file", "")]
    public void The_bounds_themselves_are_allowed(string name, string value)
    {
        var configuration = Minimal();
        Assert.Null(SettingTable.Find(name)!.SetText(configuration, value));
        Assert.Empty(ConfigurationValidator.Validate(configuration, toConnect: true));
    }

    [Theory]
    [InlineData("""{"agent_id":"a","telemtry":{"enabled":true}}""", "unknown key telemtry")]
    [InlineData("""{"telemetry":{"intervall":3}}""", "unknown key telemetry.intervall")]
    [InlineData("""{"telemetry":3}""", "unknown key telemetry")]
    [InlineData("""{"agent_id":"a","agent_id":"b"}""", "agent_id is given twice")]
    [InlineData("""{"telemetry":{"interval_seconds":"30"}}""", "telemetry.interval_seconds is not a whole number")]
    [InlineData("""{"telemetry":{"interval_seconds":1.5}}""", "telemetry.interval_seconds is not a whole number")]
    [InlineData("""{"telemetry":{"interval_seconds":99999999999}}""", "telemetry.interval_seconds is not a whole number")]
    [InlineData("""{"telemetry":{"enabled":1}}""", "telemetry.enabled is not true or false")]
    [InlineData("""{"fleet_roots":"x"}""", "fleet_roots is not a list")]
    [InlineData("""{"fleet_roots":[1]}""", "fleet_roots has an item that is not a string")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("", "line 1 is not valid JSON")]
    [InlineData("{\n\"agent_id\":\n", "not valid JSON")]
    [InlineData("{} trailing", "not valid JSON")]
    public void A_malformed_file_is_refused_by_name_and_line(string text, string expected)
    {
        var error = Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read(Encoding.UTF8.GetBytes(text), "agent.json"));
        Assert.StartsWith("agent.json", error.Message);
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void The_line_of_an_unknown_key_is_named()
    {
        var error = Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read("{\n// why\n\"agent_id\":\"a\",\n\"nope\":1}"u8, "f"));
        Assert.StartsWith("f line 4: unknown key nope", error.Message);
    }

    [Fact]
    public void Comments_and_trailing_commas_are_allowed()
    {
        var configuration = ConfigurationReader.Read("""
            {
              // the host's own name
              "agent_id": "web-1", /* and */ "telemetry": { "interval_seconds": 5, },
              "observability": { "exclude_cgroups": ["/a", "7"] },
            }
            """u8, "f");
        Assert.Equal("web-1", configuration.AgentId);
        Assert.Equal(5, configuration.TelemetryIntervalSeconds);
        Assert.Equal(["/a", "7"], configuration.ExcludeCgroups);
    }

    [Fact]
    public void A_password_is_not_printed()
    {
        var configuration = Minimal();
        configuration.Proxy = "http://user:secret@proxy:3128";
        var printed = ConfigurationPrinter.Print(configuration);
        Assert.DoesNotContain("secret", printed);
        Assert.Contains("\"http://***@proxy:3128\"", printed);
    }

    [Fact]
    public void What_is_printed_reads_back_to_the_same()
    {
        var configuration = Minimal();
        configuration.ExcludeCgroups = ["/x/y", "99"];
        configuration.BatchRows = 77;
        configuration.TelemetryEnabled = false;
        var printed = ConfigurationPrinter.Print(configuration);
        var again = ConfigurationReader.Read(Encoding.UTF8.GetBytes(printed), "printed");
        Assert.Equal(printed, ConfigurationPrinter.Print(again));
        Assert.All(SettingTable.All, setting => Assert.Contains($"\"{setting.Name[(setting.Name.IndexOf('.') + 1)..]}\":", printed));
    }

    [Fact]
    public void Options_override_the_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{"agent_id":"from-file","telemetry":{"interval_seconds":7}}""");
            var arguments = ArgumentParser.Parse(["run", "--config", file, "--telemetry-interval-seconds=9", "--fleet-roots", Root + "," + Root]);
            var configuration = ConfigurationLoader.Load(arguments);
            Assert.Equal("from-file", configuration.AgentId);
            Assert.Equal(9, configuration.TelemetryIntervalSeconds);
            Assert.Equal(2, configuration.FleetRoots.Count);
            Assert.Equal(Path.Combine(Path.GetDirectoryName(file)!, "agent.key"), configuration.Resolve(configuration.KeyFile));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static AgentConfiguration Minimal() => new() { AgentId = "web-1", FleetRoots = [Root] };
}
