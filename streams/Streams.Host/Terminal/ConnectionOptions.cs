using System.CommandLine;
using Streams.Local;
using Streams.Storage;

namespace Streams.Host.Terminal;

/// <summary>Where a command finds its instance: a data directory of `streams up`, or a ClickHouse by address.</summary>
internal sealed class ConnectionOptions
{
    private readonly Option<string> _data = new("--data")
    {
        Description = "Data directory of a running `streams up`.",
        DefaultValueFactory = _ => DataDirectory.Default,
    };

    private readonly Option<string?> _clickHouse = new("--clickhouse") { Description = "Address of a ClickHouse HTTP interface, instead of --data." };
    private readonly Option<string> _user = new("--user") { Description = "ClickHouse user, with --clickhouse.", DefaultValueFactory = _ => "default" };
    private readonly Option<string?> _passwordFile = new("--password-file") { Description = "File with the user's password, with --clickhouse." };
    private readonly Option<string> _database = new("--database") { Description = "ClickHouse database.", DefaultValueFactory = _ => "streams" };

    public void AddTo(Command command)
    {
        command.Add(_data);
        command.Add(_clickHouse);
        command.Add(_user);
        command.Add(_passwordFile);
        command.Add(_database);
    }

    public ClickHouseHttp OpenClickHouse(ParseResult parse)
    {
        var storage = Storage(parse);
        return new ClickHouseHttp(storage.Url, storage.User, storage.Password, storage.Database);
    }

    /// <summary>The same ClickHouse, for what goes through the driver.</summary>
    public StorageOptions Storage(ParseResult parse)
    {
        var database = parse.GetValue(_database)!;
        if (parse.GetValue(_clickHouse) is { } address)
        {
            var file = parse.GetValue(_passwordFile);
            return new StorageOptions
            {
                Url = Address.Url("--clickhouse", address, "http", "https"),
                User = parse.GetValue(_user)!,
                Password = file is null ? "" : ReadLine(file),
                Database = database,
            };
        }
        var endpoints = Endpoints(parse);
        return new StorageOptions
        {
            Url = new Uri(endpoints.ClickHouse),
            User = endpoints.ClickHouseUser,
            Password = ReadLine(endpoints.ClickHousePasswordFile),
            Database = database,
        };
    }

    /// <summary>True when an instance is named, and not a ClickHouse alone.</summary>
    public bool HasInstance(ParseResult parse) => parse.GetValue(_clickHouse) is null;

    public Endpoints Endpoints(ParseResult parse) => Local.Endpoints.Read(parse.GetValue(_data)!);

    private static string ReadLine(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"cannot read the password file {file}: {failure.Message}");
        }
    }
}
