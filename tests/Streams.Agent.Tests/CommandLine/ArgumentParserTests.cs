using Streams.Agent.CommandLine;
using Streams.Agent.Configuration;

namespace Streams.Agent.Tests.CommandLine;

public sealed class ArgumentParserTests
{
    [Theory]
    [InlineData("--nope", "unknown option '--nope'")]
    [InlineData("--gateway", "--gateway needs a value")]
    [InlineData("--gateway --json", "--gateway needs a value")]
    [InlineData("--gateway ws://a --gateway ws://b", "--gateway is given twice")]
    [InlineData("--config a --config b", "--config is given twice")]
    [InlineData("walk", "unknown command 'walk'")]
    [InlineData("run doctor", "unexpected argument 'doctor'")]
    [InlineData("run --json", "--json belongs to doctor, status and spool")]
    [InlineData("--json=yes doctor", "unknown option '--json'")]
    [InlineData("doctor --version", "--version does not go with another command")]
    public void What_is_not_understood_is_refused(string line, string expected)
    {
        var error = Assert.Throws<UsageException>(() => ArgumentParser.Parse(line.Split(' ')));
        Assert.StartsWith(expected, error.Message);
    }

    [Fact]
    public void Run_is_the_default() => Assert.Equal(AgentVerb.Run, ArgumentParser.Parse([]).Verb);

    [Theory]
    [InlineData("doctor --json", "Doctor")]
    [InlineData("status", "Status")]
    [InlineData("--print-config --log-level debug", "PrintConfig")]
    [InlineData("--version", "Version")]
    [InlineData("run --help", "Help")]
    public void Verbs_are_found(string line, string verb) => Assert.Equal(verb, ArgumentParser.Parse(line.Split(' ')).Verb.ToString());

    [Fact]
    public void Every_setting_is_an_option_of_its_own()
    {
        Assert.Equal(SettingTable.All.Length, SettingTable.All.Select(setting => setting.Option).Distinct().Count());
        foreach (var setting in SettingTable.All)
        {
            var parsed = ArgumentParser.Parse([setting.Option + "=x"]);
            Assert.Equal((setting.Option, "x"), (parsed.Overrides[0].Key, parsed.Overrides[0].Value));
        }
    }
}
