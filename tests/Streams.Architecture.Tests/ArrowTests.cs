namespace Streams.Architecture.Tests;

/// <summary>Who may see whom. The table is the one in ARCHITECTURE.md; a new arrow is a decision, not an accident.</summary>
public sealed class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Streams.Wire"] = [],
        ["Streams.Schema"] = [],
        ["LibbpfSharp"] = [],
        ["NATS.NKeys"] = [],
        ["Streams.ClickHouse.Embedded"] = [],
        ["Streams.Checker"] = [],
        ["Streams.AgentLink"] = ["Streams.Wire", "Streams.Schema"],
        ["Streams.AgentLink.Tls"] = ["Streams.AgentLink"],
        ["Streams.Local"] = ["NATS.NKeys"],
        ["Streams.Control"] = ["Streams.Wire"],
        ["Streams.Agent"] = ["Streams.AgentLink", "Streams.AgentLink.Tls", "Streams.Control", "LibbpfSharp"],
        ["Streams.Queue"] = ["NATS.NKeys", "Streams.Schema"],
        ["Streams.Storage"] = ["Streams.Schema"],
        ["Streams.Stages"] = ["Streams.Schema"],
        ["Streams.Gateway"] = ["Streams.Wire", "Streams.Schema", "Streams.Control", "Streams.Queue", "Streams.Stages"],
        ["Streams.Worker"] = ["Streams.Schema", "Streams.Queue", "Streams.Storage", "Streams.Stages"],
        ["Streams.Services"] = ["Streams.Control", "Streams.Queue", "Streams.Storage", "Streams.Stages"],
        ["Streams.Host"] = ["Streams.Gateway", "Streams.Worker", "Streams.Services", "Streams.Local"],
        ["Streams.Bench"] = ["Streams.AgentLink", "Streams.AgentLink.Tls", "Streams.Control", "Streams.Local", "Streams.Storage", "Streams.Checker"],
        ["Streams.Microbench"] = ["LibbpfSharp", "Streams.Gateway", "Streams.Worker"],
        ["Streams.Testing"] = ["Streams.Local", "Streams.Checker"],
        ["Streams.Fuzz"] = ["Streams.Agent", "Streams.Gateway", "Streams.Services", "Streams.Storage"],
    };

    public static TheoryData<string> ProductProjects =>
        [.. Repository.Projects.Keys.Where(name => !name.EndsWith(".Tests", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(ProductProjects))]
    public void A_project_sees_only_what_the_table_allows(string name)
    {
        Assert.True(Allowed.ContainsKey(name), $"{name} has no row in the table of arrows");
        Assert.Empty(Repository.Projects[name].References.Except(Allowed[name]));
    }

    [Fact]
    public void The_table_names_only_projects_that_exist() => Assert.Empty(Allowed.Keys.Except(Repository.Projects.Keys));

    [Theory]
    [InlineData("Akka")]
    [InlineData("ClickHouse.Driver")]
    [InlineData("NATS.Client.Core")]
    public void Nothing_that_is_not_AOT_safe_is_reachable_from_the_agent(string package) =>
        Assert.DoesNotContain(Repository.Reach("Streams.Agent"), name => Repository.Projects[name].Packages.Contains(package));

    [Fact]
    public void Everything_reachable_from_the_agent_is_declared_AOT_compatible()
    {
        foreach (var name in Repository.Reach("Streams.Agent"))
        {
            var text = File.ReadAllText(Path.Combine(Repository.Projects[name].Directory, name + ".csproj"));
            Assert.True(text.Contains("<IsAotCompatible>true") || text.Contains("<PublishAot>true"), name);
        }
    }

    [Fact]
    public void The_gateway_cannot_see_ClickHouse()
    {
        var reach = Repository.Reach("Streams.Gateway");
        Assert.DoesNotContain("Streams.Storage", reach);
        Assert.DoesNotContain(reach, name => Repository.Projects[name].Packages.Contains("ClickHouse.Driver"));
    }

    [Fact]
    public void The_host_sees_neither_the_agent_nor_the_engine_nor_libbpf()
    {
        var reach = Repository.Reach("Streams.Host");
        Assert.DoesNotContain("Streams.Agent", reach);
        Assert.DoesNotContain("LibbpfSharp", reach);
        Assert.DoesNotContain("Streams.ClickHouse.Embedded", reach);
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "Streams.sln"));
        Assert.All(Repository.Projects.Keys, name => Assert.Contains($"\"{name}\"", solution));
    }
}
