using System.CommandLine;
using System.Globalization;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Local;
using Streams.Wire;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Host.Commands;

/// <summary>`streams keys gateway`: certificates of gateways.</summary>
internal static class KeysGateway
{
    public static Command Create(Option<string> data) =>
        new("gateway", "Certificates of gateways.") { Issue(data), Renew(data) };

    private static Command Issue(Option<string> data)
    {
        var name = new Argument<string>("name") { Description = "The gateway's name." };
        var key = new Option<string>("--key-file") { Description = "The gateway's secret key; made if it is not there.", Required = true };
        var certificate = new Option<string>("--certificate-file") { Description = "Where to write the certificate.", Required = true };
        var days = Days();
        var command = new Command("issue", "Have the fleet root sign for a further gateway.") { name, key, certificate, days, data };
        command.SetAction(parse =>
        {
            if (!AgentId.IsValid(parse.GetValue(name)))
            {
                throw new CommandFailure($"gateway {parse.GetValue(name)}: a name matches [a-z0-9][a-z0-9-]{{0,62}}", 2);
            }
            using var alone = KeysCommand.Lock(parse.GetValue(data)!);
            var keys = KeysCommand.Open(parse.GetValue(data)!);
            using var root = FleetKeys.OpenKey(keys.RootFile, KeyFileKind.Root);
            using var gateway = FleetKeys.OpenKey(Path.GetFullPath(parse.GetValue(key)!), KeyFileKind.Gateway);
            var made = keys.Issue(root, CertificateUse.Gateway, parse.GetValue(name)!, gateway.PublicKey, Life(parse, days), DateTimeOffset.UtcNow);
            FleetKeys.WriteCertificate(Path.GetFullPath(parse.GetValue(certificate)!), made);
            Say(made);
            return 0;
        });
        return command;
    }

    private static Command Renew(Option<string> data)
    {
        var fresh = new Option<bool>("--new-key") { Description = "With a new key too; then revoke the old certificate's serial if the key may be known." };
        var days = Days();
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
            keys.Renew(root, keys.Certificate.Name, gateway.PublicKey, Life(parse, days), DateTimeOffset.UtcNow);
            Say(keys.Certificate);
            Console.WriteLine($"before it            serial {old}");
            return 0;
        });
        return command;
    }

    private static Option<int> Days() => new("--days") { Description = "How long it is good, 1 to 366; `up` renews its own gateway's below 30.", DefaultValueFactory = _ => 90 };

    private static TimeSpan Life(ParseResult parse, Option<int> days) => parse.GetValue(days) is >= 1 and <= 366 and var number
        ? TimeSpan.FromDays(number) : throw new CommandFailure($"--days {parse.GetValue(days)}: expected 1 to 366", 2);

    private static void Say(FleetCertificate certificate)
    {
        Console.WriteLine($"gateway              {certificate.Name}");
        Console.WriteLine($"certificate serial   {certificate.Serial.ToString(CultureInfo.InvariantCulture)}");
        Console.WriteLine($"valid                {KeysCommand.Time(certificate.NotBefore)} to {KeysCommand.Time(certificate.NotAfter)}");
    }
}
