using System.Net;

namespace Streams.AgentLink.Connect;

/// <summary>Through which HTTP proxy a gateway is reached, if through any: one for all, or what the environment says.</summary>
public sealed class ProxyChoice
{
    private readonly Uri? _proxy;
    private readonly string[] _direct;

    private ProxyChoice(Uri? proxy, string[] direct)
    {
        _proxy = proxy;
        _direct = direct;
    }

    /// <summary>No proxy.</summary>
    public static ProxyChoice None { get; } = new(null, []);

    /// <summary>One proxy for every gateway.</summary>
    /// <param name="text"><c>http://[user:password@]host:port</c>.</param>
    public static bool TryParse(string text, out ProxyChoice? choice)
    {
        choice = TryRead(text, out var proxy) ? new ProxyChoice(proxy, []) : null;
        return choice is not null;
    }

    /// <summary>What HTTPS_PROXY and NO_PROXY say, in capitals or not: small letters win, as with most programs.</summary>
    /// <param name="read">Gives a variable of the environment.</param>
    /// <param name="error">One line, without the variable's value, which may hold a password.</param>
    public static ProxyChoice? FromEnvironment(Func<string, string?> read, out string? error)
    {
        ArgumentNullException.ThrowIfNull(read);
        error = null;
        var text = read("https_proxy") is { Length: > 0 } small ? small : read("HTTPS_PROXY");
        if (string.IsNullOrEmpty(text))
        {
            return None;
        }

        if (!TryRead(text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}", out var proxy))
        {
            error = "HTTPS_PROXY of the environment is not http://[user:password@]host:port";
            return null;
        }

        var direct = read("no_proxy") is { Length: > 0 } list ? list : read("NO_PROXY") ?? "";
        return new ProxyChoice(proxy, direct.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    /// <summary>The proxy for a gateway; null when it is reached directly.</summary>
    public Uri? For(Uri gateway)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        if (_proxy is null)
        {
            return null;
        }

        var address = IPAddress.TryParse(gateway.IdnHost, out var parsed) ? parsed : null;
        foreach (var entry in _direct)
        {
            if (IsFor(entry, gateway, address))
            {
                return null;
            }
        }

        return _proxy;
    }

    private static bool TryRead(string text, out Uri? proxy) =>
        Uri.TryCreate(text, UriKind.Absolute, out proxy) && proxy.Scheme == "http" && proxy.Host.Length > 0
        && proxy.AbsolutePath == "/" && proxy.Query.Length == 0 && proxy.Fragment.Length == 0;

    /// <summary>An entry of NO_PROXY: *, an address, a network, a domain with everything below it, each but * and networks also with a port.</summary>
    private static bool IsFor(string entry, Uri gateway, IPAddress? address)
    {
        if (entry == "*")
        {
            return true;
        }

        if (address is not null)
        {
            return IPAddress.TryParse(entry, out var same) ? same.Equals(address)
                : IPNetwork.TryParse(entry, out var network) ? network.Contains(address)
                : IPEndPoint.TryParse(entry, out var end) && end.Address.Equals(address) && end.Port == gateway.Port;
        }

        var colon = entry.LastIndexOf(':');
        if (colon > 0)
        {
            if (!ushort.TryParse(entry.AsSpan(colon + 1), out var port) || port != gateway.Port)
            {
                return false;
            }

            entry = entry[..colon];
        }

        var domain = entry.TrimStart('.');
        return domain.Length > 0 && gateway.IdnHost.EndsWith(domain, StringComparison.OrdinalIgnoreCase)
            && (gateway.IdnHost.Length == domain.Length || gateway.IdnHost[^(domain.Length + 1)] == '.');
    }
}
