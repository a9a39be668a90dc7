using System.Diagnostics;
using System.Text;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

public sealed class ProcessTests : SensorTest
{
    private readonly string _directory = Directory.CreateTempSubdirectory("sensor-").FullName;

    [Fact]
    public void Exec_has_all_its_fields()
    {
        var before = BootClock.NowNs;
        var pid = Run("/bin/echo", "-n", "", "two words");
        var after = BootClock.NowNs;
        DrainUntil(() => Sink.Execs().Any(exec => exec.Fixed.Pid == pid));
        var (record, filename, argv) = Sink.Execs().Single(exec => exec.Fixed.Pid == pid);

        Assert.InRange(record.Header.TimeNs, before, after);
        Assert.InRange(record.StartTimeNs, before - 10_000_000, record.Header.TimeNs);
        Assert.Equal(RecordFlags.None, record.Header.Flags);
        Assert.Equal("/bin/echo", filename);
        Assert.Equal("/bin/echo\0-n\0\0two words", Encoding.UTF8.GetString(argv));
        Assert.Equal(4, record.Argc);
        Assert.Equal("echo", CollectingSink.Text(record.Comm));
        Assert.Equal((uint)Environment.ProcessId, record.Ppid);
        Assert.Equal(0u, record.Uid);
        Assert.Equal(0u, record.Gid);
        Assert.Equal(Inode("/bin/echo"), record.Inode);
        Assert.Equal(CgroupFileSystem.IdOf(CgroupFileSystem.DirectoryOf(Environment.ProcessId)!), record.CgroupId);
    }

    [Fact]
    public void Long_argv_is_cut_and_flagged()
    {
        string[] arguments = [new('a', 3000), new('b', 3000)];
        var pid = Run("/bin/true", arguments);
        DrainUntil(() => Sink.Execs().Any(exec => exec.Fixed.Pid == pid));
        var (record, _, argv) = Sink.Execs().Single(exec => exec.Fixed.Pid == pid);
        Assert.Equal(RecordFlags.ArgvTruncated, record.Header.Flags);
        Assert.Equal(3, record.Argc);
        Assert.Equal(("/bin/true\0" + arguments[0] + "\0" + arguments[1])[..4096], Encoding.UTF8.GetString(argv));
    }

    [Theory]
    [InlineData(4096, RecordFlags.None)]
    [InlineData(4097, RecordFlags.ArgvTruncated)]
    public void Argv_of_exactly_the_bound_is_whole(int length, RecordFlags flags)
    {
        var pid = Run("/bin/true", new string('x', length - "/bin/true".Length - 1));
        DrainUntil(() => Sink.Execs().Any(exec => exec.Fixed.Pid == pid));
        var (record, _, argv) = Sink.Execs().Single(exec => exec.Fixed.Pid == pid);
        Assert.Equal(flags, record.Header.Flags);
        Assert.Equal(4096, argv.Length);
    }

    [Theory]
    [InlineData(511, RecordFlags.None)]
    [InlineData(512, RecordFlags.FilenameTruncated)]
    public void Long_filename_is_cut_and_flagged(int length, RecordFlags flags)
    {
        var path = _directory;
        while (length - path.Length > 200)
        {
            path = Path.Combine(path, new string('d', 100));
        }
        Directory.CreateDirectory(path);
        path = Path.Combine(path, new string('p', length - path.Length - 1));
        File.Copy("/bin/true", path);
        Assert.Equal(length, path.Length);
        var pid = Run(path);
        DrainUntil(() => Sink.Execs().Any(exec => exec.Fixed.Pid == pid));
        var (record, filename, argv) = Sink.Execs().Single(exec => exec.Fixed.Pid == pid);
        Assert.Equal(flags, record.Header.Flags);
        Assert.Equal(path[..511], filename);
        Assert.Equal(path, Encoding.UTF8.GetString(argv));
    }

    [Theory]
    [InlineData("exit 7", 7, 0)]
    [InlineData("exit 255", 255, 0)]
    [InlineData("kill -9 $$", 0, 9)]
    [InlineData("kill -15 $$", 0, 15)]
    public void Exit_has_code_or_signal(string script, int code, byte signal)
    {
        var pid = Run("/bin/sh", "-c", script);
        DrainUntil(() => Exits(pid).Any());
        var record = Exits(pid).Single();
        Assert.Equal(code, record.ExitCode);
        Assert.Equal(signal, record.ExitSignal);
        Assert.Equal("sh", CollectingSink.Text(record.Comm));
        Assert.Equal((uint)Environment.ProcessId, record.Ppid);
        Assert.Equal(0u, record.Uid);
    }

    [Fact]
    public void Exit_has_the_lifetime()
    {
        var started = Stopwatch.GetTimestamp();
        var pid = Run("/bin/sleep", "0.3");
        var elapsed = Stopwatch.GetElapsedTime(started);
        DrainUntil(() => Exits(pid).Any());
        var lifetime = TimeSpan.FromMicroseconds(Exits(pid).Single().LifetimeNs / 1000.0);
        Assert.InRange(lifetime, TimeSpan.FromMilliseconds(300), elapsed);
    }

    [Fact]
    public void A_process_that_never_execs_exits_too()
    {
        var pid = Run("/bin/sh", "-c", "(exit 3); true");
        DrainUntil(() => Exits(pid).Any());
        Assert.Contains(Sink.Of<ProcessExitRecord>(RecordClass.ProcessExit), exit => exit.Ppid == pid && exit.ExitCode == 3);
    }

    [Theory]
    // The leader leaves early, another thread ends the process.
    [InlineData("leader-first", 5)]
    // Four threads race to be the last.
    [InlineData("race", 0)]
    // A thread that is not the leader execs: the leader is gone, the process is not.
    [InlineData("exec", 0)]
    public void Threads_make_one_exit(string mode, int code)
    {
        var program = Threads();
        for (var round = 0; round < 20; round++)
        {
            var pid = Run(program, mode);
            DrainUntil(() => Exits(pid).Any());
            Settle();
            Assert.Equal(code, Exits(pid).Single().ExitCode);
            Assert.Equal(mode == "exec" ? 2 : 1, Sink.Execs().Count(exec => exec.Fixed.Pid == pid));
        }
    }

    private protected override void Cleanup() => Directory.Delete(_directory, recursive: true);

    private IEnumerable<ProcessExitRecord> Exits(int pid) =>
        Sink.Of<ProcessExitRecord>(RecordClass.ProcessExit).Where(exit => exit.Pid == pid);

    private static ulong Inode(string path) => CgroupFileSystem.IdOf(path);

    private string Threads()
    {
        var source = Path.Combine(_directory, "threads.c");
        File.WriteAllText(source, """
            #include <pthread.h>
            #include <string.h>
            #include <stdlib.h>
            #include <unistd.h>
            static void *late(void *unused) { usleep(20000); exit(5); }
            static void *quick(void *unused) { usleep(2000); return NULL; }
            static void *replace(void *unused) { execl("/bin/true", "true", NULL); return NULL; }
            int main(int argc, char **argv)
            {
                pthread_t thread[4];
                if (!strcmp(argv[1], "race")) {
                    for (int i = 0; i < 4; i++)
                        pthread_create(&thread[i], NULL, quick, NULL);
                    usleep(1800);
                    pthread_exit(NULL);
                }
                pthread_create(&thread[0], NULL, strcmp(argv[1], "exec") ? late : replace, NULL);
                if (!strcmp(argv[1], "exec"))
                    sleep(5);
                pthread_exit(NULL);
            }
            """);
        var program = Path.Combine(_directory, "threads");
        Run("clang", "-pthread", "-o", program, source);
        Assert.True(File.Exists(program));
        return program;
    }
}
