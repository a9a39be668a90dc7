using System.CommandLine;
using System.Globalization;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Wire;
using Streams.Wire.Keys;

namespace Streams.Host.Commands;

/// <summary>`streams keys create-agents`: keys for many agents at once, for hosts that are prepared ahead, and for load.</summary>
internal static class KeysCreateAgents
{
    private const int Most = 100_000;

    public static Command Create(Option<string> data)
    {
        var prefix = new Argument<string>("prefix") { Description = "The agents are PREFIX-0, PREFIX-1 and so on." };
        var count = new Option<int>("--count") { Description = $"How many, 1 to {Most}.", Required = true };
        var directory = new Option<string>("--key-directory") { Description = "Where to write PREFIX-N.key (mode 0600); no key in it is overwritten.", Required = true };
        var command = new Command("create-agents", "Make keys for many agents and let them in.") { prefix, count, directory, data };
        command.SetAction(async (parse, stop) =>
        {
            var number = parse.GetValue(count);
            if (number is < 1 or > Most)
            {
                throw new CommandFailure($"--count {number}: expected 1 to {Most}", 2);
            }

            string[] agents = [.. Enumerable.Range(0, number).Select(i => string.Create(CultureInfo.InvariantCulture, $"{parse.GetValue(prefix)}-{i}"))];
            if (!AgentId.IsValid(agents[^1]))
            {
                throw new CommandFailure($"agent {agents[^1]}: an agent id matches [a-z0-9][a-z0-9-]{{0,62}}", 2);
            }

            var target = Path.GetFullPath(parse.GetValue(directory)!);
            if (agents.FirstOrDefault(agent => File.Exists(KeyFileOf(target, agent))) is { } taken)
            {
                throw new CommandFailure($"--key-directory {target}: there is a key of {taken}; a key is never overwritten", 2);
            }

            Directory.CreateDirectory(target, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var endpoints = Endpoints.Read(parse.GetValue(data)!);
            await using var identities = await Identities.OpenAsync(endpoints, stop);
            foreach (var agent in agents)
            {
                using var key = FleetKeys.OpenKey(KeyFileOf(target, agent), KeyFileKind.Agent);
                await identities.ReplaceAsync(agent, key.PublicKey.ToArray(), agent, stop);
            }

            Console.WriteLine($"{agents[0]} to {agents[^1]} may connect to {endpoints.Gateway} with their keys in {target}");
            return 0;
        });
        return command;
    }

    private static string KeyFileOf(string directory, string agent) => Path.Combine(directory, agent + ".key");
}
