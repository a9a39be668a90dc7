using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>The published agent with TLS, as a process.</summary>
internal sealed class SecureAgent : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _said = new();

    private SecureAgent(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_said)
            {
                _said.AppendLine(line.Data);
            }
        };
        process.BeginErrorReadLine();
    }

    public static string Program => Path.Combine(Repository.Root, "agent-native/Streams.Agent/bin/publish-tls/streams-agent-tls");

    public string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    /// <summary>Lets an agent in and starts it.</summary>
    /// <param name="authorityFile">For link.tls_ca_file; null trusts the system, to which <paramref name="systemFile"/> is added.</param>
    public static async Task<SecureAgent> StartAsync(Up up, string id, string directory, string gateway, string? authorityFile, string? systemFile = null)
    {
        Directory.CreateDirectory(directory);
        var key = Path.Combine(directory, "agent.key");
        var created = await Run.HostAsync("keys", "create-agent", id, "--key-file", key, "--data", up.Data);
        Assert.True(created.Code == 0, created.ToString());
        var keys = (await Run.HostAsync("keys", "--data", up.Data)).Output;
        var root = keys.Split('\n').First(line => line.StartsWith("fleet root", StringComparison.Ordinal))["fleet root".Length..].Trim();
        var configuration = Path.Combine(directory, "agent.json");
        await File.WriteAllTextAsync(configuration, JsonSerializer.Serialize(new
        {
            agent_id = id,
            key_file = key,
            fleet_roots = new[] { root },
            state_directory = Path.Combine(directory, "state"),
            link = new { gateways = new[] { gateway }, tls_ca_file = authorityFile ?? "" },
            telemetry = new { interval_seconds = 1 },
        }));
        var start = new ProcessStartInfo(Program, ["run", "--config", configuration]) { RedirectStandardError = true };
        if (systemFile is not null)
        {
            start.Environment["SSL_CERT_FILE"] = systemFile;
        }

        return new SecureAgent(Process.Start(start)!);
    }

    /// <summary>Resident bytes, median of 10 s, and the most since the start.</summary>
    public async Task<(long Resident, long Peak)> MeasureAsync()
    {
        var samples = new List<long>();
        for (var i = 0; i < 20; i++)
        {
            samples.Add(Bytes("smaps_rollup", "Rss:"));
            await Task.Delay(500);
        }

        samples.Sort();
        return (samples[samples.Count / 2], Bytes("status", "VmHWM:"));
    }

    public async Task<int> StopAsync()
    {
        Up.Signal("TERM", _process.Id);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private long Bytes(string file, string name) =>
        1024 * long.Parse(File.ReadLines($"/proc/{_process.Id}/{file}").First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "").Trim(),
            CultureInfo.InvariantCulture);
}
