using System.CommandLine;
using System.Net;
using Streams.Gateway;
using Streams.Host.Terminal;

namespace Streams.Host.Commands;

/// <summary>Options of `streams serve` about how agents and operators reach it: TLS, proxies, what one agent may send.</summary>
internal sealed class TransportOptions
{
    private static readonly GatewayOptions Defaults = new() { NatsSeedFile = "", KeyFile = "", CertificateFile = "" };

    private readonly Option<string?> _certificate = new("--tls-certificate") { Description = "PEM file with the certificate chain of the agents' port, which then speaks TLS (wss). Looked at again every 5 s." };
    private readonly Option<string?> _key = new("--tls-key") { Description = "PEM file with that certificate's private key." };
    private readonly Option<bool> _operatorTls = new("--operator-tls") { Description = "TLS with the same certificate for operator HTTP." };
    private readonly Option<string> _proxyFrom = new("--proxy-from") { Description = "Addresses of proxies, as 10.0.0.0/8,192.0.2.7: their connections must begin with a PROXY header (version 1 or 2).", DefaultValueFactory = _ => "" };
    private readonly Option<int> _sourceConnections = Number("--source-connections", "Connections without a session of one IPv4 address or IPv6 /56.", Defaults.SourceConnections);
    private readonly Option<int> _sourceHandshakes = Number("--source-handshakes", "Handshakes at once of one IPv4 address or IPv6 /56.", Defaults.SourceHandshakes);
    private readonly Option<int> _messages = Number("--agent-messages", "Messages a second of one agent before its session is ended.", Defaults.AgentMessageRate);
    private readonly Option<long> _bytes = Number("--agent-bytes", "Bytes a second of one agent before its session is ended.", Defaults.AgentByteRate);
    private readonly Option<int> _failures = Number("--auth-failures-per-minute", "Refused handshakes a minute above which there is an alert.", Defaults.AuthFailuresPerMinute);
    private readonly Option<int> _signatures = Number("--agent-signatures", "Signature checks a second of one agent before its session is ended.", Defaults.AgentSignatureRate);

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _certificate, _key, _operatorTls, _proxyFrom, _sourceConnections, _sourceHandshakes, _messages, _bytes, _failures, _signatures })
        {
            command.Options.Add(option);
        }
    }

    /// <exception cref="CommandFailure">The operator's port would be open and plain on an address that is not loopback.</exception>
    public (string Certificate, string Key)? OperatorTls(ParseResult parse, IPEndPoint endpoint, bool insecure)
    {
        if (parse.GetValue(_operatorTls))
        {
            return parse.GetValue(_certificate) is { } certificate && parse.GetValue(_key) is { } key
                ? (certificate, key) : throw new CommandFailure("--operator-tls: give --tls-certificate and --tls-key too", 2);
        }

        return insecure || IPAddress.IsLoopback(endpoint.Address) ? null
            : throw new CommandFailure($"--operator-listen {endpoint}: not a loopback address; give --operator-tls, or say --insecure", 2);
    }

    public GatewayOptions Apply(ParseResult parse, GatewayOptions options) => options with
    {
        TlsCertificateFile = parse.GetValue(_certificate),
        TlsKeyFile = parse.GetValue(_key),
        ProxyFrom = [.. parse.GetValue(_proxyFrom)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Network)],
        SourceConnections = parse.GetValue(_sourceConnections),
        SourceHandshakes = parse.GetValue(_sourceHandshakes),
        AgentMessageRate = parse.GetValue(_messages),
        AgentByteRate = parse.GetValue(_bytes),
        AuthFailuresPerMinute = parse.GetValue(_failures),
        AgentSignatureRate = parse.GetValue(_signatures),
    };

    private static IPNetwork Network(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : throw new CommandFailure($"--proxy-from {text}: expected an address or a network, as 10.0.0.0/8", 2);

    private static Option<T> Number<T>(string name, string description, T value) => new(name) { Description = description, DefaultValueFactory = _ => value };
}
