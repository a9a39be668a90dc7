using System.Diagnostics;
using System.Globalization;
using LibbpfSharp;
using Streams.Agent.Modules.Telemetry.Procfs;
using Streams.Testing;
using Streams.Wire.Keys;

namespace Streams.Agent.Tests.Published;

/// <summary>The real, ahead-of-time compiled agent in a cgroup of its own (its own network events are filtered, the test's are not).</summary>
internal sealed class PublishedAgent : IDisposable
{
    private readonly TempDirectory _directory = new("agent");
    private readonly System.Text.StringBuilder _log = new();
    private readonly string? _cgroup;
    private readonly string _pins;

    private readonly string? _spoolSize;

    private PublishedAgent(Streams.AgentLink.Tests.Gateway.ScriptedGateway gateway, string extra, string? spoolSize)
    {
        _spoolSize = spoolSize;
        var key = _directory.File("agent.key");
        File.WriteAllBytes(key, KeyFile.Format(KeyFileKind.Agent, gateway.AgentKey));
        File.SetUnixFileMode(key, KeyFile.RequiredMode);
        _pins = Path.Combine(BpfFileSystem.DefaultPath, "streams", gateway.Agent.AgentId);
        Configuration = _directory.File("agent.json");
        File.WriteAllText(Configuration, $$"""
            {
              "agent_id": "{{gateway.Agent.AgentId}}",
              "gateway": "{{gateway.Uri}}v1/agent",
              "fleet_roots": ["{{System.Buffers.Text.Base64Url.EncodeToString(gateway.Root.PublicKey)}}"],
              "state_directory": "state",
              {{extra}}
            }
            """);
        if (CgroupFileSystem.FindMount() is { } mount)
            _cgroup = Directory.CreateDirectory(Path.Combine(mount, $"streams-agent-test-{Environment.ProcessId}")).FullName;
        Process = Run();
    }

    public static string Program
    {
        get
        {
            var path = Path.Combine(Repository.Root, "agent-native", "Streams.Agent", "bin", "publish", "streams-agent");
            if (!File.Exists(path))
                Assert.Fail("streams-agent is not published. Run: dotnet publish agent-native/Streams.Agent -c Release -r linux-x64 -o agent-native/Streams.Agent/bin/publish");
            return path;
        }
    }

    public string Configuration { get; }

    public Process Process { get; private set; }

    /// <summary>What it has written to standard error.</summary>
    public string Said
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    /// <param name="spoolSize">Puts the spool on a disk of its own of this size, seen by the agent alone ("256k").</param>
    public static PublishedAgent Start(
        Streams.AgentLink.Tests.Gateway.ScriptedGateway gateway, string extra, string? spoolSize = null) => new(gateway, extra, spoolSize);

    /// <summary>SIGKILL; its programs stay attached.</summary>
    public void Kill()
    {
        Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
    }

    /// <summary>The next life, with the same configuration and state, after <see cref="Kill"/>.</summary>
    public void StartAgain() => Process = Run();

    public static (int Code, string Output, string Error) RunToEnd(params string[] arguments) => RunToEnd(Program, arguments);

    /// <summary>Runs the agent behind another program that changes what it finds: the arguments end with the agent's command line.</summary>
    public static (int Code, string Output, string Error) RunToEnd(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(10_000), "it did not end");
        return (process.ExitCode, output, error.Result);
    }

    public static void SendSignal(Process process, string signal)
    {
        using var kill = Process.Start("/bin/kill", ["-s", signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>A line of /proc/PID/FILE in KiB, as bytes.</summary>
    public long MemoryBytes(string file, string name)
    {
        foreach (var line in File.ReadLines($"/proc/{Process.Id}/{file}"))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
            {
                var rest = System.Text.Encoding.ASCII.GetBytes(line[name.Length..]).AsSpan();
                ReadOnlySpan<byte> fields = rest;
                Assert.True(ProcText.TryNumber(ref fields, out var kibibytes));
                return (long)kibibytes * 1024;
            }
        }

        throw new InvalidDataException($"{file} has no {name}");
    }

    private Process Run()
    {
        var enter = _cgroup is null ? "" : $"echo $$ > {_cgroup}/cgroup.procs; ";
        var run = $"exec {Program} run --config {Configuration}";
        if (_spoolSize is not null)
        {
            var spool = Directory.CreateDirectory(Path.Combine(_directory.Path, "state", "spool")).FullName;
            run = $"exec unshare -m /bin/sh -c 'mount -t tmpfs -o size={_spoolSize} streams-spool {spool} && {run}'";
        }

        var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", enter + run])
        {
            RedirectStandardError = true,
        })!;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
                _log.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
        return process;
    }

    public void Dispose()
    {
        if (!Process.HasExited)
            Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
        // The programs of a killed agent stay attached for the next one, which does not come here.
        if (Directory.Exists(_pins))
            Directory.Delete(_pins, recursive: true);
        if (_cgroup is not null)
            Directory.Delete(_cgroup);
        _directory.Dispose();
    }
}
