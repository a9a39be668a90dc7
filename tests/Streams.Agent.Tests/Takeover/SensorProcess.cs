using System.Diagnostics;
using System.Globalization;
using System.Text;
using LibbpfSharp;

namespace Streams.Agent.Tests.Takeover;

/// <summary>Lives of <see cref="SensorHost"/>, one after another over one sensor instance and one directory.</summary>
internal sealed class SensorProcess(string directory, string name, int ringBytes, int delayMilliseconds) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly StringBuilder _said = new();
    private Process? _process;

    /// <summary>Where its maps are pinned.</summary>
    public string Pins { get; } = Path.Combine(BpfFileSystem.DefaultPath, "streams", name);

    /// <summary>What all lives wrote to standard error.</summary>
    public string Said
    {
        get
        {
            lock (_said)
                return _said.ToString();
        }
    }

    /// <param name="dieAt">It kills itself right after it stored this many batches. 0: never.</param>
    public void Start(int dieAt = 0)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!,
        [
            "exec", typeof(SensorProcess).Assembly.Location, SensorHost.Verb, directory, name,
            ringBytes.ToString(CultureInfo.InvariantCulture), delayMilliseconds.ToString(CultureInfo.InvariantCulture),
            dieAt.ToString(CultureInfo.InvariantCulture),
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_said)
                _said.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
    }

    /// <summary>Waits until its programs are in charge.</summary>
    public async Task ReadyAsync()
    {
        var line = await _process!.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        Assert.True(line == "ready", $"the sensor did not start:\n{Said}");
    }

    /// <summary>Waits until it has killed itself.</summary>
    public void WaitForDeath()
    {
        Assert.True(_process!.WaitForExit(Patience), "it did not die");
        Reap();
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        _process!.Kill();
        Reap();
    }

    /// <summary>Asks for an orderly end and waits for it.</summary>
    public void Stop()
    {
        _process!.StandardInput.Close();
        Assert.True(_process.WaitForExit(Patience), "it did not end");
        Assert.True(_process.ExitCode == 0, $"it ended with {_process.ExitCode}:\n{Said}");
        Reap();
    }

    public void Dispose()
    {
        if (_process is not null)
            Kill();
        // Else its programs would stay attached for ever.
        if (Directory.Exists(Pins))
            Directory.Delete(Pins, recursive: true);
    }

    private void Reap()
    {
        _process!.WaitForExit();
        _process.Dispose();
        _process = null;
    }
}
