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

    [GeneratedRegex("`([A-Z][A-Za-z]+Tests)\\.([A-Z][A-Za-z0-9_]+)`")]
    private static partial Regex NamedTest();
}
