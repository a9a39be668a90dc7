using Streams.AgentLink.Connect;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>
/// The agent's key, and during a rotation two: <c>KEY</c>; <c>KEY.next</c>, which the server has not taken yet; <c>KEY.old</c>, which is
/// kept until the first session under the new one. Each step is one rename, and after a crash between any two the agent has a key that the
/// server takes: that of KEY, or failing that KEY.old.
/// </summary>
internal sealed class AgentKeyFiles(string path)
{
    private readonly string _next = path + ".next";
    private readonly string _old = path + ".old";

    public string Path => path;

    /// <summary>A key waits for the server to take it.</summary>
    public bool HasNext => File.Exists(_next);

    /// <summary>The key before is kept until the present one was used.</summary>
    public bool HasOld => File.Exists(_old);

    /// <summary>Reads the present key, after mending what a crash left.</summary>
    /// <exception cref="AgentException">There is none, or it cannot be used.</exception>
    public SigningKey Read()
    {
        // Killed inside a revert, between its two renames.
        if (!File.Exists(path) && HasOld)
            DurableFile.Move(_old, path);
        return Read(path);
    }

    /// <summary>Makes the first key, if there is none; the same at every call.</summary>
    public SigningKey ReadOrMake()
    {
        if (!File.Exists(path) && !HasOld)
        {
            using var key = SigningKey.Generate();
            Write(path, key);
        }

        return Read();
    }

    /// <summary>Makes the next key; false when one waits already.</summary>
    public bool MakeNext()
    {
        if (HasNext || HasOld)
            return false;
        using var key = SigningKey.Generate();
        Write(_next, key);
        return true;
    }

    public SigningKey ReadNext() => Read(_next);

    public SigningKey ReadOld() => Read(_old);

    /// <summary>The server has taken the next key: it becomes the present one, and that one is kept.</summary>
    public void Promote()
    {
        if (DurableFile.TryRead(path, KeyFile.MaxBytes) is { } content)
        {
            DurableFile.Write(_old, content);
            content.AsSpan().Clear();
        }

        DurableFile.Move(_next, path);
    }

    /// <summary>There was a session under the present key: the one before is over.</summary>
    public void Settle() => DurableFile.Delete(_old);

    /// <summary>There was a session under the old key instead: the server does not know the new one, which waits again.</summary>
    public void Revert()
    {
        DurableFile.Move(path, _next);
        DurableFile.Move(_old, path);
    }

    private static SigningKey Read(string file) => KeyFileReader.TryRead(file, KeyFileKind.Agent, out var key, out var error)
        ? key! : throw new AgentException($"{error}; give the agent a key file of its own with key_file or --key-file, or enrol it");

    private static void Write(string file, SigningKey key)
    {
        var content = KeyFile.Format(KeyFileKind.Agent, key);
        DurableFile.Write(file, content);
        content.AsSpan().Clear();
    }
}
