using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using NATS.NKeys;

namespace Streams.Local;

/// <summary>Who connects to NATS; each role has its own key and its own subjects.</summary>
public enum NatsRole
{
    Gateway,
    Worker,
    Operator,
    Services,
}

/// <summary>
/// The credentials of one data directory: drawn at the first start, kept in files of mode 0600, the same ever after. They never go on a
/// command line.
/// </summary>
public sealed class Credentials
{
    /// <summary>ClickHouse's user of worker and services, who writes.</summary>
    public const string ClickHouseUser = "streams";

    /// <summary>ClickHouse's user of operators, who may only read.</summary>
    public const string ClickHouseReader = "streams_reader";

    private readonly string _directory;
    private readonly Dictionary<NatsRole, string> _publicKeys = [];

    private Credentials(string directory) => _directory = directory;

    /// <summary>File with ClickHouse's password, one line.</summary>
    public string ClickHousePasswordFile => Path.Combine(_directory, "clickhouse.password");

    /// <summary>File with the reader's password, one line.</summary>
    public string ClickHouseReaderPasswordFile => Path.Combine(_directory, "clickhouse-reader.password");

    /// <summary>Reads or creates all credentials in <paramref name="directory"/>.</summary>
    /// <exception cref="LocalException">A file is damaged, or may be read by others.</exception>
    public static Credentials Open(string directory)
    {
        var credentials = new Credentials(directory);
        foreach (var role in Enum.GetValues<NatsRole>())
            credentials._publicKeys[role] = OpenSeed(credentials.NatsSeedFile(role));
        foreach (var file in new[] { credentials.ClickHousePasswordFile, credentials.ClickHouseReaderPasswordFile })
        {
            if (!File.Exists(file))
                SecretFile.Write(file, Encoding.ASCII.GetBytes(NewPassword() + "\n"));
        }

        return credentials;
    }

    /// <summary>File with the role's NKey seed, one line.</summary>
    public string NatsSeedFile(NatsRole role) => Path.Combine(_directory, $"nats-{role.ToString().ToLowerInvariant()}.nk");

    /// <summary>The role's NKey seed: a secret.</summary>
    public string NatsSeed(NatsRole role) => SecretFile.ReadLine(NatsSeedFile(role));

    /// <summary>The role's public NKey, as nats.conf has it.</summary>
    public string NatsPublicKey(NatsRole role) => _publicKeys[role];

    /// <summary>ClickHouse's password: a secret.</summary>
    public string ClickHousePassword() => SecretFile.ReadLine(ClickHousePasswordFile);

    /// <summary>The reader's password: a secret, which opens less.</summary>
    public string ClickHouseReaderPassword() => SecretFile.ReadLine(ClickHouseReaderPasswordFile);

    private static string OpenSeed(string path)
    {
        if (!File.Exists(path))
        {
            using var created = KeyPair.CreatePair(PrefixByte.User);
            SecretFile.Write(path, Encoding.ASCII.GetBytes(created.GetSeed() + "\n"));
            return created.GetPublicKey();
        }

        try
        {
            using var pair = KeyPair.FromSeed(SecretFile.ReadLine(path));
            return pair.GetPublicKey();
        }
        catch (NKeysException error)
        {
            throw new LocalException($"{path} is damaged: {error.Message} Delete it to have a new one made at the next start.", error);
        }
    }

    // 192 random bits in letters that need no quoting in a URL, a header or a shell.
    private static string NewPassword() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(24));
}
