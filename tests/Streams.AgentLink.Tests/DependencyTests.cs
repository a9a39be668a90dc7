namespace Streams.AgentLink.Tests;

/// <summary>What the agent links in is memory it has not got: 16 MB hold everything.</summary>
public sealed class DependencyTests
{
    /// <summary>Any of these loads OpenSSL (9.4 MB resident, measured) or the HTTP stack.</summary>
    [Theory]
    [InlineData("System.Security.Cryptography")]
    [InlineData("System.Net.Security")]
    [InlineData("System.Net.Http")]
    [InlineData("System.Net.WebSockets")]
    [InlineData("NSec.Cryptography")]
    public void TheLinkDoesNotReference(string assembly)
    {
        foreach (var from in new[] { typeof(AgentLink).Assembly, typeof(Wire.Protocol).Assembly, typeof(Schema.Catalogue).Assembly })
        {
            Assert.DoesNotContain(from.GetReferencedAssemblies(), reference => reference.Name == assembly);
        }
    }

    /// <summary>Wire and Schema read the JSON profile, which only servers reach: the linker leaves it out of the agent.</summary>
    [Fact]
    public void TheLinkItselfReadsNoJson() =>
        Assert.DoesNotContain(typeof(AgentLink).Assembly.GetReferencedAssemblies(), static reference => reference.Name == "System.Text.Json");
}
