using System.Text;
using System.Text.Json;
using Streams.Agent.Configuration;
using Streams.Testing;

namespace Streams.Agent.Tests.Configuration;

/// <summary>docs/reference/agent-configuration.md is what <see cref="SettingTable"/> says. On a difference the expected page is written beside it.</summary>
public sealed class ReferencePageTests
{
    [Fact]
    public void The_committed_page_is_that_of_the_settings()
    {
        var path = Path.Combine(Repository.Root, "docs", "reference", "agent-configuration.md");
        var expected = Render();
        if (!File.Exists(path) || File.ReadAllText(path) != expected)
        {
            File.WriteAllText(path + ".expected", expected);
            Assert.Fail($"{path} differs from the settings: compare with {path}.expected and move that over it");
        }
    }

    private static string Render()
    {
        using var defaults = JsonDocument.Parse(ConfigurationPrinter.Print(new AgentConfiguration()));
        var page = new StringBuilder("""
            # The agent's configuration

            `streams-agent` reads `/etc/streams-agent/agent.json`, or the file that `--config` names: JSON with comments and trailing commas. A dotted
            name below is a nested object: `telemetry.interval_seconds` is `{ "telemetry": { "interval_seconds": 30 } }`. An unknown key, a key given
            twice and a value out of its bounds are refused by name. Every setting is an option too and the option wins; lists are comma-separated
            there. Relative paths start at the folder of the file. `streams-agent --print-config` prints what is in effect.

            This page is generated from `SettingTable`; a test compares them.

            | Setting | Option | Default | Allowed | |
            |---|---|---|---|---|

            """);
        foreach (var setting in SettingTable.All)
        {
            var value = defaults.RootElement;
            foreach (var part in setting.Name.Split('.'))
                value = value.GetProperty(part);
            page.AppendLine($"| `{setting.Name}` | `{setting.Option}` | `{value.GetRawText()}` | {setting.Allowed.Replace("|", "\\|")} | {setting.Description} |");
        }

        return page.ToString();
    }
}
