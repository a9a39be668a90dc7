using System.Security.Cryptography;
using System.Text;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>
/// Who may ask. The engine itself has no users here: whoever passes has all rights, but for the readers, who are fenced in by
/// <see cref="Sql.ReaderFence"/>. Passwords are kept as SHA-256, so that the comparison takes the same time whatever their length.
/// </summary>
internal sealed class Credentials
{
    private readonly Dictionary<string, byte[]> _users = new(StringComparer.Ordinal);

    private readonly HashSet<string> _readers = new(StringComparer.Ordinal);

    /// <summary>Compared with when the user is unknown, so that the time does not tell which names exist.</summary>
    private static readonly byte[] Nobody = new byte[SHA256.HashSizeInBytes];

    public void Add(string user, string password) => _users[user] = Hash(password);

    /// <summary>Adds a user who may only read.</summary>
    public void AddReader(string user, string password)
    {
        Add(user, password);
        _readers.Add(user);
    }

    public bool IsReader(string user) => _readers.Contains(user);

    public bool Accept(string user, string password)
    {
        var known = _users.TryGetValue(user, out var expected);
        return CryptographicOperations.FixedTimeEquals(Hash(password), expected ?? Nobody) && known;
    }

    private static byte[] Hash(string password) => SHA256.HashData(Encoding.UTF8.GetBytes(password));
}
