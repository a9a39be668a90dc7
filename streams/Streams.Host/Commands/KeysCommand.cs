using System.Buffers.Text;
using System.CommandLine;
using System.Globalization;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Wire;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Host.Commands;

/// <summary>`streams keys`: what this instance's agents pin and its gateway shows; and keys for further agents.</summary>
internal static class KeysCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Data directory.", DefaultValueFactory = _ => DataDirectory.Default };
        var command = new Command("keys", "Show the fleet root and the gateway's certificate.") { data };
        var show = new Command("show", "The same.") { data };
        command.SetAction(parse => Show(parse.GetValue(data)!));
        show.SetAction(parse => Show(parse.GetValue(data)!));
        command.Add(show);
        command.Add(CreateAgent(data));
        command.Add(KeysCreateAgents.Create(data));
        command.Add(KeysGateway.Create(data));
        command.Add(new Command("operator", "Certificates of operators, whose keys sign commands that change hosts.")
        {
            KeysIssue.Create("operator", "Have the fleet root sign for an operator; keep the key off every server.", CertificateUse.Operator, KeyFileKind.Operator, data),
        });
        command.Add(KeysRevoke.Create(data));
        command.Add(KeysRoot.Create(data));
        return command;
    }

    private static int Show(string data)
    {
        var keys = Open(data);
        var certificate = keys.Certificate;
        Console.WriteLine($"fleet root           {Base64Url.EncodeToString(keys.Root)}");
        if (keys.NextRoot is { } next)
        {
            Console.WriteLine($"next fleet root      {Base64Url.EncodeToString(next)}");
        }
        Console.WriteLine($"gateway              {certificate.Name}");
        Console.WriteLine($"gateway key          {Base64Url.EncodeToString(certificate.PublicKey)}");
        Console.WriteLine($"certificate serial   {certificate.Serial}");
        Console.WriteLine($"valid                {Time(certificate.NotBefore)} to {Time(certificate.NotAfter)}");
        return 0;
    }

    private static Command CreateAgent(Option<string> data)
    {
        var name = new Argument<string>("agent") { Description = "The agent's id: [a-z0-9][a-z0-9-]{0,62}." };
        var file = new Option<string>("--key-file") { Description = "Where to write the agent's secret key (mode 0600); must not exist.", Required = true };
        var host = new Option<string?>("--host") { Description = "Host name for the agent's rows; the agent id if not given." };
        var replace = new Option<bool>("--replace") { Description = "Also where the agent is known: in place of its key, and of what was revoked." };
        var command = new Command("create-agent", "Make a key for one more agent and let it in.") { name, file, host, replace };
        command.Add(data);
        command.SetAction(async (parse, stop) =>
        {
            var agent = parse.GetValue(name)!;
            if (!AgentId.IsValid(agent))
            {
                throw new CommandFailure($"agent {agent}: an agent id matches [a-z0-9][a-z0-9-]{{0,62}}", 2);
            }
            var path = Path.GetFullPath(parse.GetValue(file)!);
            if (File.Exists(path))
            {
                throw new CommandFailure($"--key-file {path}: the file exists; a key is never overwritten", 2);
            }
            var endpoints = Endpoints.Read(parse.GetValue(data)!);
            await using var identities = await Identities.OpenAsync(endpoints, stop);
            if (!parse.GetValue(replace) && await identities.GetAsync(agent, stop) is { } known)
            {
                throw new CommandFailure($"agent {agent} is known and {known.State}; --replace gives it another key", 2);
            }
            using var key = FleetKeys.OpenKey(path, KeyFileKind.Agent);
            await identities.ReplaceAsync(agent, key.PublicKey.ToArray(), parse.GetValue(host) ?? agent, stop);
            Console.WriteLine($"{agent} may connect to {endpoints.Gateway} with {path}");
            return 0;
        });
        return command;
    }

    internal static FleetKeys Open(string data) => FleetKeys.Open(DirectoryOf(data), DateTimeOffset.UtcNow);

    /// <summary>For a command that changes them.</summary>
    internal static KeysLock Lock(string data) => KeysLock.Take(DirectoryOf(data));

    private static string DirectoryOf(string data)
    {
        var directory = Path.Combine(Path.GetFullPath(data), "keys");
        return Directory.Exists(directory) ? directory : throw new CommandFailure($"there are no keys in {data}; `streams up` makes them at its first start");
    }

    internal static string Time(long seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
