namespace Streams.Local.Tests;

/// <summary>
/// The entry of this test assembly when it is started as a program: a parent that starts one child and waits to be killed. For the one
/// test that needs a parent it may kill.
/// </summary>
public static class Program
{
    public static async Task Main(string[] args)
    {
        var directory = args[0];
        // From a thread of the pool that ends, as children in a real program are.
        var thread = new Thread(() => ChildProcess.Start(new ChildOptions
        {
            Name = "child",
            FileName = "/bin/sh",
            Arguments = ["-c", $"echo $$ > {directory}/pid; exec sleep 600"],
            LogPath = Path.Combine(directory, "child.log"),
        }));
        thread.Start();
        thread.Join();
        await Task.Delay(TimeSpan.FromMinutes(10));
    }
}
