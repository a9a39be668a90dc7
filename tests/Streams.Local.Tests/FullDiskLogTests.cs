namespace Streams.Local.Tests;

/// <summary>A log that the disk refuses must not stop the child that writes it.</summary>
public sealed class FullDiskLogTests
{
    [Fact]
    public async Task A_child_goes_on_when_its_log_cannot_be_written()
    {
        // Far more than a pipe holds; /dev/full answers every write with ENOSPC.
        await using var child = ChildProcess.Start(new ChildOptions
        {
            Name = "talker",
            FileName = "/bin/sh",
            Arguments = ["-c", "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo done"],
            LogPath = "/dev/full",
        });
        var exit = await child.Exited.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((0, "done"), (exit.Code, exit.LastLine));
    }
}
