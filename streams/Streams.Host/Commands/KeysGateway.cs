using System.CommandLine;
using Streams.Host.Fleet;
using Streams.Local;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Host.Commands;

/// <summary>`streams keys gateway`: certificates of gateways.</summary>
internal static class KeysGateway
{
    public static Command Create(Option<string> data) =>
        new("gateway", "Certificates of gateways.")
        {
            KeysIssue.Create("gateway", "Have the fleet root sign for a further gateway.", CertificateUse.Gateway, KeyFileKind.Gateway, data),
            Renew(data),
        };

    private static Command Renew(Option<string> data)
    {
        var fresh = new Option<bool>("--new-key") { Description = "With a new key too; then revoke the old certificate's serial if the key may be known." };
        var days = KeysIssue.Days();
        var command = new Command("renew", "A new certificate for this instance's gateway, which takes it without a restart.") { fresh, days, data };
        command.SetAction(parse =>
        {
            using var alone = KeysCommand.Lock(parse.GetValue(data)!);
            var keys = KeysCommand.Open(parse.GetValue(data)!);
            var old = keys.Certificate.Serial;
            using var root = FleetKeys.OpenKey(keys.RootFile, KeyFileKind.Root);
            if (parse.GetValue(fresh))
            {
                using var made = Streams.Wire.Crypto.SigningKey.Generate();
                SecretFile.Write(keys.GatewayKeyFile, KeyFile.Format(KeyFileKind.Gateway, made));
            }
            using var gateway = FleetKeys.OpenKey(keys.GatewayKeyFile, KeyFileKind.Gateway);
            keys.Renew(root, keys.Certificate.Name, gateway.PublicKey, KeysIssue.Life(parse, days), DateTimeOffset.UtcNow);
            KeysIssue.Say("gateway", keys.Certificate);
            Console.WriteLine($"before it            serial {old}");
            return 0;
        });
        return command;
    }
}
