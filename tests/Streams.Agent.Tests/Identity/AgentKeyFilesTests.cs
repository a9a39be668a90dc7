using Streams.Agent.Modules.Core.Identity;
using Streams.Testing;

namespace Streams.Agent.Tests.Identity;

/// <summary>The agent's keys on the disk: after a crash between any two steps there is one that the server takes.</summary>
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
    public void A_rotation_goes_forward_and_leaves_nothing()
    {
        using var folder = new TempDirectory();
        var files = new AgentKeyFiles(folder.File("agent.key"));
        using var old = files.ReadOrMake();
        Assert.True(files.MakeNext());
        Assert.False(files.MakeNext());
        using var next = files.ReadNext();
        files.Promote();
        using (var present = files.Read())
        using (var kept = files.ReadOld())
        {
            Assert.Equal(next.PublicKey.ToArray(), present.PublicKey.ToArray());
            Assert.Equal(old.PublicKey.ToArray(), kept.PublicKey.ToArray());
        }

        Assert.False(files.MakeNext());
        files.Settle();
        Assert.Equal([folder.File("agent.key")], Directory.GetFiles(folder.Path, "agent.key*"));
    }

    // What the folder has after each single write, rename or removal of Promote, Settle and Revert.
    [Theory]
    [InlineData("key=1 next=2", 1)]
    [InlineData("key=1 old=1 next=2", 1)]
    [InlineData("key=2 old=1", 2)]
    [InlineData("key=2", 2)]
    [InlineData("old=1 next=2", 1)]
    [InlineData("key=1 next=2 key.new=9", 1)]
    public void After_a_crash_at_any_step_there_is_a_key_that_the_server_takes(string state, int present)
    {
        using var folder = new TempDirectory();
        var keys = Enumerable.Range(0, 2).Select(_ => Wire.Crypto.SigningKey.Generate()).ToArray();
        foreach (var part in state.Split(' '))
        {
            var (name, number) = (part.Split('=')[0], int.Parse(part.Split('=')[1]));
            var path = folder.File(name == "key" ? "agent.key" : name.StartsWith("key.", StringComparison.Ordinal) ? "agent." + name : "agent.key." + name);
            File.WriteAllBytes(path, number == 9 ? [1, 2, 3] : Wire.Keys.KeyFile.Format(Wire.Keys.KeyFileKind.Agent, keys[number - 1]));
            File.SetUnixFileMode(path, Wire.Keys.KeyFile.RequiredMode);
        }

        using var read = new AgentKeyFiles(folder.File("agent.key")).Read();
        Assert.Equal(keys[present - 1].PublicKey.ToArray(), read.PublicKey.ToArray());
        foreach (var key in keys)
        {
            key.Dispose();
        }
    }
}
