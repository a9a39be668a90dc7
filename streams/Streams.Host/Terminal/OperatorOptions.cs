using System.CommandLine;
using Streams.Host.Fleet;
using Streams.Local;

namespace Streams.Host.Terminal;

/// <summary>Where a command finds the operator's HTTP and the token that opens it: a data directory of `streams up`, or both by name.</summary>
internal sealed class OperatorOptions
{
    private readonly Option<string> _data = new("--data")
    {
        Description = "Data directory of a running `streams up`.",
        DefaultValueFactory = _ => DataDirectory.Default,
    };

    private readonly Option<string?> _operator = new("--operator") { Description = "Address of operator HTTP, as http://host:8081, instead of --data." };
    private readonly Option<string?> _tokenFile = new("--token-file") { Description = "File with an operator token, mode 0600; with --data the one that `up` made." };

    public void AddTo(Command command)
    {
        command.Add(_data);
        command.Add(_operator);
        command.Add(_tokenFile);
    }

    /// <exception cref="CommandFailure">An address without a token.</exception>
    public OperatorClient Open(ParseResult parse)
    {
        if (parse.GetValue(_operator) is { } address)
        {
            var file = parse.GetValue(_tokenFile) ?? throw new CommandFailure("--token-file: needed with --operator", 2);
            return new OperatorClient(Address.Url("--operator", address, "http", "https"), Read(file));
        }
        var data = parse.GetValue(_data)!;
        var endpoints = Endpoints.Read(data);
        return new OperatorClient(
            new Uri(endpoints.Operator), Read(parse.GetValue(_tokenFile) ?? Path.Combine(Path.GetFullPath(data), "keys", ServiceKeys.TokenFileName)));
    }

    private static string Read(string file)
    {
        try
        {
            return SecretFile.ReadLine(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"cannot read the token file {file}: {failure.Message}");
        }
    }
}
