using Streams.AgentLink.Connect;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>
/// The agent's keys, at most three, each named to the server by the one before: <c>KEY.old</c>, <c>KEY</c>, <c>KEY.next</c>. Which of them the
/// server knows, the agent hears from gateways only, so none is dropped before a later one was seen taken (<see cref="RegistryChannel"/>).
/// Each step is one rename, and after a crash between any two every key that was not to be dropped is there.
/// </summary>
internal sealed class AgentKeyFiles(string path)
{
    private readonly string _next = path + ".next";
    private readonly string _old = path + ".old";

    public string Path => path;

    /// <summary>A key that was made and did not become the present one yet.</summary>
    public bool HasNext => File.Exists(_next);

    /// <summary>The key before is kept, as the server may know no other.</summary>
    public bool HasOld => File.Exists(_old);

    public bool Has(KeySlot slot) => File.Exists(FileOf(slot));

    /// <exception cref="AgentException">There is none, or it cannot be used.</exception>
    public SigningKey Read(KeySlot slot = KeySlot.Present) => KeyFileReader.TryRead(FileOf(slot), KeyFileKind.Agent, out var key, out var error)
        ? key! : throw new AgentException($"{error}; give the agent a key file of its own with key_file or --key-file, or enrol it");

    /// <summary>Makes the first key, if there is none; the same at every call.</summary>
    public SigningKey ReadOrMake()
    {
        if (!File.Exists(path))
        {
            using var key = SigningKey.Generate();
            Write(path, key);
        }

        return Read();
    }

    /// <summary>Makes the next key; false when there is one: from each key only one other follows, so that there are never more than three.</summary>
    public bool MakeNext()
    {
        if (HasNext)
            return false;
        using var key = SigningKey.Generate();
        Write(_next, key);
        return true;
    }

    /// <summary>The next key becomes the present one, and that one the old; the one that was old is dropped.</summary>
    public void Promote()
    {
        var content = DurableFile.TryRead(path, KeyFile.MaxBytes) ?? throw new AgentException($"{path}: no such file");
        DurableFile.Write(_old, content);
        content.AsSpan().Clear();
        DurableFile.Move(_next, path);
    }

    /// <summary>Drops the old key.</summary>
    public void Settle() => DurableFile.Delete(_old);

    /// <summary>
    /// Killed inside <see cref="Promote"/> the present key is there twice. Only for the running agent, of which there is one: another process
    /// could see the same in the middle of a step that goes on.
    /// </summary>
    public void Mend()
    {
        if (!HasOld)
            return;
        using var old = Read(KeySlot.Old);
        using var present = Read();
        if (old.PublicKey.SequenceEqual(present.PublicKey))
            Settle();
    }

    private string FileOf(KeySlot slot) => slot switch
    {
        KeySlot.Old => _old,
        KeySlot.Next => _next,
        _ => path,
    };

    private static void Write(string file, SigningKey key)
    {
        var content = KeyFile.Format(KeyFileKind.Agent, key);
        DurableFile.Write(file, content);
        content.AsSpan().Clear();
    }
}
