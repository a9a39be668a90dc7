using System.CommandLine;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Queue;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Host.Commands;

/// <summary>`streams keys revoke`: a certificate of a gateway, of the services or of an operator is no longer good.</summary>
internal static class KeysRevoke
{
    /// <summary>A list that is newer each time is not somebody's who revokes too: the keys are locked.</summary>
    private const int Attempts = 5;

    public static Command Create(Option<string> data)
    {
        var serial = new Argument<ulong>("serial") { Description = "Serial of the certificate, as it was shown when it was made." };
        var command = new Command("revoke", "Tell all agents that a gateway's, the services' or an operator's certificate is no longer good.") { serial, data };
        command.SetAction(async (parse, stop) =>
        {
            using var alone = KeysCommand.Lock(parse.GetValue(data)!);
            var keys = KeysCommand.Open(parse.GetValue(data)!);
            var number = parse.GetValue(serial);
            RefuseOwn(keys, number);
            using var root = FleetKeys.OpenKey(keys.RootFile, KeyFileKind.Root);
            await using var stores = await Identities.OpenAsync(Endpoints.Read(parse.GetValue(data)!), stop);
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                var queued = await stores.Statements.GetAsync(RevocationStore.List, stop);
                var list = new RevokedCertificates(keys).Revoke(root, number, queued?.Statement, DateTimeOffset.UtcNow);
                if (await stores.Statements.TryPutAsync(RevocationStore.List, new RevocationRecord(list.ToText(), list.Version), stop))
                {
                    Console.WriteLine($"serial {number} is revoked: agents that are connected know it now, others with their next session");
                    return 0;
                }
            }
            throw new CommandFailure($"the queue does not take the list, which is kept in {keys.RevocationsFile}: it says that it has a newer one");
        });
        return command;
    }

    private static void RefuseOwn(FleetKeys keys, ulong serial)
    {
        if (serial == keys.Certificate.Serial)
        {
            throw new CommandFailure($"serial {serial} is what this instance's gateway shows; first: streams keys gateway renew --new-key");
        }
        var services = Path.Combine(Path.GetDirectoryName(keys.RootFile)!, ServiceKeys.CertificateFileName);
        if (File.Exists(services) && FleetCertificate.TryParseText(File.ReadAllText(services), out var certificate) && certificate.Serial == serial)
        {
            throw new CommandFailure($"serial {serial} is what this instance's services sign with; first remove service.key and service.cert beside {keys.RootFile} and start again");
        }
    }
}
