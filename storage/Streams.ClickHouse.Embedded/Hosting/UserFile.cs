using System.Security.Cryptography;
using Streams.ClickHouse.Embedded.Http;

namespace Streams.ClickHouse.Embedded.Hosting;

/// <summary>Users from a file that only its owner may read.</summary>
internal static class UserFile
{
    private const string GeneratedUser = "streams";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <returns>Null with one line for the operator.</returns>
    public static Credentials? Read(ServerOptions options, out string? error)
    {
        var credentials = ReadWriters(options, out error);
        if (credentials is null || options.Reader is not { } reader)
            return credentials;
        if (ReadPassword(options.ReaderPasswordFile!, out error) is not { } password)
            return null;
        credentials.AddReader(reader, password);
        return credentials;
    }

    private static string? ReadPassword(string path, out string? error)
    {
        if (ReadSecret(path, out error) is [{ Length: > 0 } password, ..])
            return password;
        error ??= $"{path} has no password in its first line";
        return null;
    }

    private static Credentials? ReadWriters(ServerOptions options, out string? error)
    {
        var credentials = new Credentials();
        if (options.User is not null)
        {
            if (ReadPassword(options.PasswordFile!, out error) is not { } password)
                return null;
            credentials.Add(options.User, password);
            return credentials;
        }

        var path = options.UserFile ?? Path.Combine(options.Data, "credentials");
        if (options.UserFile is null && !File.Exists(path))
            Generate(path);
        var lines = ReadSecret(path, out error);
        if (lines is null)
            return null;
        var count = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            if (line.Length == 0 || line[0] == '#')
                continue;
            var colon = line.IndexOf(':');
            if (colon <= 0 || colon == line.Length - 1)
            {
                error = $"{path} line {i + 1} is not user:password";
                return null;
            }

            credentials.Add(line[..colon], line[(colon + 1)..]);
            count++;
        }

        if (count > 0)
            return credentials;
        error = $"{path} has no line user:password; without a user nobody could ask anything";
        return null;
    }

    private static string[]? ReadSecret(string path, out string? error)
    {
        try
        {
            if ((File.GetUnixFileMode(path) & ~OwnerOnly) != 0)
            {
                error = $"{path} can be read by others than its owner; run: chmod 600 {path}";
                return null;
            }

            error = null;
            return File.ReadAllLines(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            error = $"{path} cannot be read: {fault.Message}";
            return null;
        }
    }

    private static void Generate(string path)
    {
        using var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        using var writer = new StreamWriter(stream);
        writer.Write($"{GeneratedUser}:{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24))}\n");
    }
}
