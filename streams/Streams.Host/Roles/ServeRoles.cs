using Streams.Host.Terminal;

namespace Streams.Host.Roles;

/// <summary>Which roles a process has.</summary>
internal readonly record struct ServeRoles(bool Gateway, bool Worker, bool Services)
{
    /// <exception cref="CommandFailure">A word is none of a role, or there is none.</exception>
    public static ServeRoles Parse(string text)
    {
        var names = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var name in names)
        {
            if (name is not ("gateway" or "worker" or "services"))
            {
                throw new CommandFailure($"--roles {text}: {name} is none of gateway, worker, services", 2);
            }
        }

        return names.Length != 0 ? new ServeRoles(names.Contains("gateway"), names.Contains("worker"), names.Contains("services"))
            : throw new CommandFailure("--roles: expected some of gateway,worker,services", 2);
    }
}
