using System.CommandLine;
using System.Globalization;
using Streams.Host.Fleet;
using Streams.Host.Terminal;
using Streams.Wire;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Host.Commands;

/// <summary>`streams keys gateway issue` and `streams keys operator issue`: the fleet root signs for somebody's key.</summary>
internal static class KeysIssue
{
    /// <param name="who">Whose key it is: a word of the command line and of what is printed.</param>
    public static Command Create(string who, string description, CertificateUse use, KeyFileKind kind, Option<string> data)
    {
        var name = new Argument<string>("name") { Description = $"The {who}'s name." };
        var key = new Option<string>("--key-file") { Description = $"The {who}'s secret key; made if it is not there.", Required = true };
        var certificate = new Option<string>("--certificate-file") { Description = "Where to write the certificate.", Required = true };
        var days = Days();
        var command = new Command("issue", description) { name, key, certificate, days, data };
        command.SetAction(parse =>
        {
            if (!AgentId.IsValid(parse.GetValue(name)))
            {
                throw new CommandFailure($"{who} {parse.GetValue(name)}: a name matches [a-z0-9][a-z0-9-]{{0,62}}", 2);
            }
            var life = Life(parse, days);
            using var alone = KeysCommand.Lock(parse.GetValue(data)!);
            var keys = KeysCommand.Open(parse.GetValue(data)!);
            using var root = FleetKeys.OpenKey(keys.RootFile, KeyFileKind.Root);
            using var theirs = FleetKeys.OpenKey(Path.GetFullPath(parse.GetValue(key)!), kind);
            var made = keys.Issue(root, use, parse.GetValue(name)!, theirs.PublicKey, life, DateTimeOffset.UtcNow);
            FleetKeys.WriteCertificate(Path.GetFullPath(parse.GetValue(certificate)!), made);
            Say(who, made);
            return 0;
        });
        return command;
    }

    public static Option<int> Days() => new("--days") { Description = "How long it is good, 1 to 366; `up` renews its own gateway's below 30.", DefaultValueFactory = _ => 90 };

    public static TimeSpan Life(ParseResult parse, Option<int> days) => parse.GetValue(days) is >= 1 and <= 366 and var number
        ? TimeSpan.FromDays(number) : throw new CommandFailure($"--days {parse.GetValue(days)}: expected 1 to 366", 2);

    public static void Say(string who, FleetCertificate certificate)
    {
        Console.WriteLine($"{who,-20} {certificate.Name}");
        Console.WriteLine($"certificate serial   {certificate.Serial.ToString(CultureInfo.InvariantCulture)}");
        Console.WriteLine($"valid                {KeysCommand.Time(certificate.NotBefore)} to {KeysCommand.Time(certificate.NotAfter)}");
    }
}
