using Streams.Agent.Modules.Core.Identity;
using Streams.Testing;

namespace Streams.Agent.Tests.Identity;

/// <summary>The agent's keys on the disk: after a crash between any two steps there is one that the server takes, whichever it knew.</summary>
public sealed class AgentKeyFilesTests
{
    [Fact]
    public void The_first_key_is_made_once_and_for_its_owner_only()
    {
        using var folder = new TempDirectory();
        var files = new AgentKeyFiles(folder.File("agent.key"));
        using var made = files.ReadOrMake();
        using var again = new AgentKeyFiles(folder.File("agent.key")).ReadOrMake();
        Assert.Equal(made.PublicKey.ToArray(), again.PublicKey.ToArray());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("agent.key")));
    }

    [Fact]
    public void A_half_written_key_is_none()
    {
        using var folder = new TempDirectory();
        File.WriteAllText(folder.File("agent.key.new"), "streams-key-1 ag");
        using var key = new AgentKeyFiles(folder.File("agent.key")).ReadOrMake();
        Assert.False(File.Exists(folder.File("agent.key.new")));
    }

    [Fact]
    public void A_rotation_keeps_the_old_key_and_at_most_three_are_there()
    {
        using var folder = new TempDirectory();
        var files = new AgentKeyFiles(folder.File("agent.key"));
        using var first = files.ReadOrMake();
        Assert.True(files.MakeNext());
        Assert.False(files.MakeNext());
        using var second = files.Read(KeySlot.Next);
        files.Promote();
        Assert.Equal([Text(first), Text(second)], Keys(files));
        Assert.True(files.MakeNext());
        Assert.False(files.MakeNext());
        using var third = files.Read(KeySlot.Next);
        Assert.Equal([Text(first), Text(second), Text(third)], Keys(files));
        files.Promote();
        Assert.Equal([Text(second), Text(third)], Keys(files));
        files.Settle();
        Assert.Equal([folder.File("agent.key")], Directory.GetFiles(folder.Path, "agent.key*"));
        Assert.Equal([Text(third)], Keys(files));
    }

    // What the folder has before and after each single write, rename or removal of MakeNext, Promote and Settle, and what an agent that starts then has.
    [Theory]
    [InlineData("key=1", "1")]
    [InlineData("key=1 next.new=9", "1")]
    [InlineData("key=1 next=2", "1 2")]
    [InlineData("key=1 next=2 old.new=9", "1 2")]
    [InlineData("old=1 key=1 next=2", "1 2")]
    [InlineData("old=1 key=2", "1 2")]
    [InlineData("old=1 key=2 next.new=9", "1 2")]
    [InlineData("old=1 key=2 next=3", "1 2 3")]
    [InlineData("old=1 key=2 next=3 old.new=9", "1 2 3")]
    [InlineData("old=2 key=2 next=3", "2 3")]
    [InlineData("old=2 key=3", "2 3")]
    [InlineData("key=3", "3")]
    public void After_a_crash_at_any_step_every_key_that_may_be_needed_is_there_once(string state, string kept)
    {
        using var folder = new TempDirectory();
        var keys = Enumerable.Range(0, 3).Select(_ => Wire.Crypto.SigningKey.Generate()).ToArray();
        foreach (var part in state.Split(' '))
        {
            var (name, number) = (part.Split('=')[0], int.Parse(part.Split('=')[1]));
            var path = folder.File(name == "key" ? "agent.key" : "agent.key." + name);
            File.WriteAllBytes(path, number == 9 ? [1, 2, 3] : Wire.Keys.KeyFile.Format(Wire.Keys.KeyFileKind.Agent, keys[number - 1]));
            File.SetUnixFileMode(path, Wire.Keys.KeyFile.RequiredMode);
        }

        var files = new AgentKeyFiles(folder.File("agent.key"));
        files.Mend();
        Assert.Equal(kept.Split(' ').Select(number => Text(keys[int.Parse(number) - 1])), Keys(files));
        foreach (var key in keys)
        {
            key.Dispose();
        }
    }

    private static List<string> Keys(AgentKeyFiles files)
    {
        var keys = new List<string>();
        foreach (var slot in new[] { KeySlot.Old, KeySlot.Present, KeySlot.Next }.Where(files.Has))
        {
            using var key = files.Read(slot);
            keys.Add(Text(key));
        }

        return keys;
    }

    private static string Text(Wire.Crypto.SigningKey key) => Convert.ToHexString(key.PublicKey);
}
