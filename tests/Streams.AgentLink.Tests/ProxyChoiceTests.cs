using System.Text;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Session;

namespace Streams.AgentLink.Tests;

public sealed class ProxyChoiceTests
{
    [Theory]
    [InlineData("http://proxy:3128", true)]
    [InlineData("http://user:p%40ss@10.0.0.1:3128/", true)]
    [InlineData("http://[::1]:3128", true)]
    [InlineData("https://proxy:3128", false)]
    [InlineData("socks5://proxy:3128", false)]
    [InlineData("proxy:3128", false)]
    [InlineData("http://proxy:3128/x", false)]
    [InlineData("http://proxy:3128?x", false)]
    [InlineData("", false)]
    public void AProxyIsAnHttpAddressAndNothingMore(string text, bool good) => Assert.Equal(good, ProxyChoice.TryParse(text, out _));

    [Theory]
    [InlineData("ws://gw.example.org:8080", "", true)]
    [InlineData("ws://gw.example.org:8080", "*", false)]
    [InlineData("ws://gw.example.org:8080", "example.org", false)]
    [InlineData("ws://gw.example.org:8080", ".example.org", false)]
    [InlineData("ws://gw.example.org:8080", "gw.example.org", false)]
    [InlineData("ws://gw.example.org:8080", "EXAMPLE.ORG", false)]
    [InlineData("ws://gw.example.org:8080", "ample.org", true)]
    [InlineData("ws://gw.example.org:8080", "org.example", true)]
    [InlineData("ws://gw.example.org:8080", "example.org:8080", false)]
    [InlineData("ws://gw.example.org:8080", "example.org:8081", true)]
    [InlineData("ws://gw.example.org:8080", "a, ,example.org", false)]
    [InlineData("wss://10.1.2.3", "10.1.2.3", false)]
    [InlineData("wss://10.1.2.3", "10.1.0.0/16", false)]
    [InlineData("wss://10.1.2.3", "10.2.0.0/16", true)]
    [InlineData("wss://10.1.2.3", "10.1.2.3:443", false)]
    [InlineData("wss://10.1.2.3", "10.1.2.3:8443", true)]
    [InlineData("wss://10.1.2.3", "2.3", true)]
    [InlineData("ws://[::1]:8080", "::1", false)]
    public void NoProxyNamesWhoIsReachedDirectly(string gateway, string list, bool proxied)
    {
        var choice = ProxyChoice.FromEnvironment(name => name switch { "HTTPS_PROXY" => "http://proxy:3128", "NO_PROXY" => list, _ => null }, out var error);
        Assert.Null(error);
        Assert.Equal(proxied ? "proxy" : null, choice!.For(new Uri(gateway))?.Host);
    }

    [Fact]
    public void TheEnvironmentMayLeaveOutTheSchemeAndSmallLettersWin()
    {
        var both = ProxyChoice.FromEnvironment(name => name switch { "HTTPS_PROXY" => "http://large:1", "https_proxy" => "small:2", _ => null }, out _);
        Assert.Equal("small:2", both!.For(new Uri("ws://gw"))!.Authority);
        Assert.Null(ProxyChoice.FromEnvironment(_ => null, out _)!.For(new Uri("ws://gw")));
        Assert.Null(ProxyChoice.FromEnvironment(_ => "socks5://user:secret@proxy", out var error));
        Assert.DoesNotContain("secret", error);
    }

    [Fact]
    public void TheRequestNamesTargetAndUser()
    {
        var plain = HttpConnect.Request(new Uri("http://proxy:3128"), "gw:443");
        Assert.Equal("CONNECT gw:443 HTTP/1.1\r\nHost: gw:443\r\n\r\n", plain);
        var user = HttpConnect.Request(new Uri("http://us%3Aer:p%40ss@proxy:3128"), "gw:443");
        Assert.Contains($"\r\nProxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes("us:er:p@ss"))}\r\n\r\n", user);
    }
}
