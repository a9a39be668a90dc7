using System.Buffers.Text;
using System.CommandLine;
using System.Text;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Queue;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Host.Commands;

/// <summary>
/// `streams keys root`: another fleet root without a hand on any host. `create` has the present root name the next one, and agents pin
/// both; `promote` has gateways show certificates of the next one; `retire` has agents forget the one before.
/// </summary>
internal static class KeysRoot
{
    public static Command Create(Option<string> data) =>
        new("root", "Another fleet root, in three steps: create, promote, retire.") { CreateNext(data), Promote(data), Retire(data) };

    private static Command CreateNext(Option<string> data)
    {
        var command = new Command("create", "Make the next root; every agent that connects pins it beside the present one.") { data };
        command.SetAction(async (parse, stop) =>
        {
            using var alone = KeysCommand.Lock(parse.GetValue(data)!);
            var keys = KeysCommand.Open(parse.GetValue(data)!);
            using var root = FleetKeys.OpenKey(keys.RootFile, KeyFileKind.Root);
            // Made once: said again it says the same.
            using var next = FleetKeys.OpenKey(keys.NextRootFile, KeyFileKind.Root);
            await SayAsync(parse.GetValue(data)!, keys, root, next.PublicKey.ToArray(), stop);
            Console.WriteLine($"next fleet root      {Base64Url.EncodeToString(next.PublicKey)}");
            Console.WriteLine("once every agent has been connected: streams keys root promote");
            return 0;
        });
        return command;
    }

    private static Command Promote(Option<string> data)
    {
        var command = new Command("promote", "Put the next root in the place of the present one, and have it sign for this instance's gateway.") { data };
        command.SetAction(async (parse, stop) =>
        {
            using var alone = KeysCommand.Lock(parse.GetValue(data)!);
            var keys = KeysCommand.Open(parse.GetValue(data)!);
            if (keys.NextRoot is null)
            {
                throw new CommandFailure("there is no next root; first: streams keys root create");
            }
            if (!await IsSaidAsync(parse.GetValue(data)!, keys, stop))
            {
                throw new CommandFailure(
                    "the queue does not have the present root's word about the next one, so agents do not pin it; again: streams keys root create, and wait until every agent has been connected");
            }
            using var next = FleetKeys.OpenKey(keys.NextRootFile, KeyFileKind.Root);
            using var gateway = FleetKeys.OpenKey(keys.GatewayKeyFile, KeyFileKind.Gateway);
            keys.Renew(next, keys.Certificate.Name, gateway.PublicKey, TimeSpan.FromDays(90), DateTimeOffset.UtcNow);
            // There is a root at every moment: who opens the directory and finds none makes one.
            File.Copy(keys.RootFile, keys.OldRootFile, overwrite: true);
            File.Move(keys.NextRootFile, keys.RootFile, overwrite: true);
            // Commands are signed under the new root too: the old one will be forgotten.
            ServiceKeys.Open(KeysCommand.Open(parse.GetValue(data)!), Path.GetDirectoryName(keys.RootFile)!, DateTimeOffset.UtcNow);
            Console.WriteLine($"fleet root           {Base64Url.EncodeToString(next.PublicKey)}");
            Console.WriteLine($"certificate serial   {keys.Certificate.Serial}");
            Console.WriteLine("tokens of before are over: they name the old root. When no agent is missing: streams keys root retire");
            return 0;
        });
        return command;
    }

    private static Command Retire(Option<string> data)
    {
        var command = new Command("retire", "Have agents forget the root before the present one.") { data };
        command.SetAction(async (parse, stop) =>
        {
            using var alone = KeysCommand.Lock(parse.GetValue(data)!);
            var keys = KeysCommand.Open(parse.GetValue(data)!);
            if (keys.NextRoot is not null || !File.Exists(keys.OldRootFile))
            {
                throw new CommandFailure("no root was promoted; first: streams keys root create, then promote");
            }
            using var root = FleetKeys.OpenKey(keys.RootFile, KeyFileKind.Root);
            await SayAsync(parse.GetValue(data)!, keys, root, root.PublicKey.ToArray(), stop);
            Console.WriteLine($"agents that connect pin only {Base64Url.EncodeToString(root.PublicKey)}");
            return 0;
        });
        return command;
    }

    /// <summary>Kept beside the root first: a queue that is lost after this gets it again.</summary>
    private static async Task SayAsync(string data, FleetKeys keys, SigningKey root, byte[] next, CancellationToken stop)
    {
        await using var stores = await Identities.OpenAsync(Endpoints.Read(data), stop);
        var queued = await stores.Statements.GetAsync(RevocationStore.Succession, stop);
        var kept = File.Exists(keys.SuccessionFile) && RootSuccession.TryParseText(await File.ReadAllTextAsync(keys.SuccessionFile, stop), out var last)
            ? last.Version : 0;
        // Above the last one also where the clock was set back: the queue keeps the later.
        var issued = Math.Max(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), (long)(Math.Max(queued?.Version ?? 0, kept) / 1000) + 1);
        var statement = RootSuccession.Create(root, next, issued);
        SecretFile.Write(keys.SuccessionFile, Encoding.ASCII.GetBytes(statement.ToText() + "\n"));
        if (!await stores.Statements.TryPutAsync(RevocationStore.Succession, new RevocationRecord(statement.ToText(), statement.Version), stop))
        {
            throw new CommandFailure($"the queue does not take the statement, which is kept in {keys.SuccessionFile}: it says that it has a newer one; try again");
        }
    }

    /// <summary>Whether gateways can tell agents of the next root.</summary>
    private static async Task<bool> IsSaidAsync(string data, FleetKeys keys, CancellationToken stop)
    {
        await using var stores = await Identities.OpenAsync(Endpoints.Read(data), stop);
        return await stores.Statements.GetAsync(RevocationStore.Succession, stop) is { } queued
            && RootSuccession.TryParseText(queued.Statement, out var statement)
            && statement.TryApply(new FleetRoots(keys.Root), out _) && statement.NewRoot.SequenceEqual(keys.NextRoot);
    }
}
