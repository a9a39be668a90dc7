using System.Text.RegularExpressions;

namespace Streams.Architecture.Tests;

/// <summary>SECURITY.md claims nothing without a test.</summary>
public sealed partial class SecurityDocumentTests
{
    [Fact]
    public void Every_test_that_it_names_exists()
    {
        var tests = Repository.Sources("*.cs", "tests").ToLookup(path => Path.GetFileNameWithoutExtension(path), File.ReadAllText);
        var named = NamedTest().Matches(File.ReadAllText(Path.Combine(Repository.Root, "SECURITY.md"))).ToList();
        Assert.True(named.Count > 30, $"only {named.Count} claims name a test");
        Assert.All(named, name => Assert.True(
            tests[name.Groups[1].Value].Any(text => text.Contains($" {name.Groups[2].Value}(", StringComparison.Ordinal)), name.Value));
    }

    [Fact]
    public void The_table_of_commands_is_the_one_that_is_compiled_into_the_agent()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "SECURITY.md"));
        var compiled = CommandKind().Matches(File.ReadAllText(Path.Combine(Repository.Root, "gateway/Streams.Control/Commands/CommandTable.cs")))
            .ToLookup(kind => kind.Groups[2].Value, kind => $"`{kind.Groups[1].Value}`");
        Assert.Contains($"| {string.Join(", ", compiled["Service"])} | services or operator |", text, StringComparison.Ordinal);
        Assert.Contains($"| {string.Join(", ", compiled["Operator"])}, `policy.*` | operator |", text, StringComparison.Ordinal);
    }

    [GeneratedRegex("""\["([a-z.-]+)"\] = CommandSigner\.(Service|Operator),""")]
    private static partial Regex CommandKind();

    [GeneratedRegex("`([A-Z][A-Za-z]+Tests)\\.([A-Z][A-Za-z0-9_]+)`")]
    private static partial Regex NamedTest();
}
