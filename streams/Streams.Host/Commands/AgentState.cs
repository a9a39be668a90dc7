using System.CommandLine;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Queue;

namespace Streams.Host.Commands;

/// <summary>`streams agents revoke` and `release`: what the operator decides about one agent.</summary>
internal static class AgentState
{
    public static Command Revoke() => Create(
        "revoke", "Let an agent in no more; its session ends within a second.", IdentityRecord.Revoked, "revoked",
        "revoked; `streams enroll create --agent {0} --replace` lets it in again");

    public static Command Release() => Create(
        "release", "End an agent's quarantine, once there is only one of it.", IdentityRecord.Active, "released", "released: commands and policy reach it again");

    private static Command Create(string name, string description, string state, string action, string done)
    {
        var agent = new Argument<string>("agent") { Description = "The agent's id." };
        var data = new Option<string>("--data") { Description = "Data directory.", DefaultValueFactory = _ => DataDirectory.Default };
        var command = new Command(name, description) { agent, data };
        command.SetAction(async (parse, stop) =>
        {
            var id = parse.GetValue(agent)!;
            await using var identities = await Identities.OpenAsync(Endpoints.Read(parse.GetValue(data)!), stop);
            var known = await identities.GetAsync(id, stop) ?? throw new CommandFailure($"agent {id}: there is none; `streams agents` lists them");
            if (state == IdentityRecord.Active && known.State == IdentityRecord.Revoked)
            {
                throw new CommandFailure($"agent {id} is revoked, not in quarantine; `streams enroll create --agent {id} --replace` lets it in again");
            }
            if (!await identities.SetStateAsync(id, state, action, stop))
            {
                throw new CommandFailure($"agent {id} is {known.State} already");
            }
            Console.WriteLine($"{id}: {string.Format(System.Globalization.CultureInfo.InvariantCulture, done, id)}");
            return 0;
        });
        return command;
    }
}
