using System.Diagnostics;
using Streams.AgentLink.Tests.Gateway;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests.Spool;

/// <summary>A disk of one MiB that is really full: a tmpfs of its own. Needs root, as the agent does.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly SpoolFolder _folder = new();
    private readonly bool _mounted;

    public FullDiskTests() => _mounted = Run("mount", $"-t tmpfs -o size=1m streams-spool-test {_folder.Path}");

    [Fact]
    public async Task AFullDiskCostsNothingThatMemoryHoldsAndNothingUncounted()
    {
        if (!_mounted)
        {
            // Without the right to mount there is no full disk to be had.
            return;
        }

        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway,
            o => o with { SpoolDirectory = _folder.Path, SpoolBytes = 16 << 20, RetentionBytes = 512 * 1024 });
        var appended = 0;
        while (link.Link.TryAppend(PriorityClass.Event, new LedgerSealer((ulong)appended * 100, 10, 5000)) == AppendResult.Appended)
        {
            appended++;
        }

        // One MiB on the disk, then half a MiB in memory, then the producer is told to wait.
        Assert.InRange(appended, 240, 310);
        var full = link.Link.Status;
        Assert.True(full.DiskErrors > 0);
        Assert.Contains("No space left", full.LastDiskError, StringComparison.Ordinal);
        Assert.InRange(link.Link.FillOf(PriorityClass.Event), 0.8, 1);
        Assert.InRange(link.Link.Uncommitted().Single().Batches, 60, 110);

        Assert.Contains("No space left", link.Next(LinkEventKind.SpoolRefused).Detail, StringComparison.Ordinal);

        // Live and kept batches both reach the server while the disk stays full.
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.GrantAllAsync(1UL << 30);
        var lanes = new Dictionary<uint, uint>();
        for (var received = 0; received < appended;)
        {
            foreach (var (name, bytes) in (await peer.ReceiveDataAsync()).Batches)
            {
                Assert.Equal(lanes.GetValueOrDefault(name.Lane), name.N);
                lanes[name.Lane] = name.N + 1;
                Assert.Equal((20UL, 2UL), (SpoolBatch.Sum(bytes).Rows, SpoolBatch.Sum(bytes).Lost));
                received++;
            }
        }

        await peer.CommitAsync([.. lanes.Select(l => new LaneWatermark(link.Epoch, l.Key, l.Value))]);
        Assert.True(await link.Link.FlushAsync(ScriptedGateway.Deadline));

        // The space that this gave back is used again, without a restart.
        for (var deadline = DateTime.UtcNow.AddSeconds(20); ; await Task.Delay(100))
        {
            Assert.True(DateTime.UtcNow < deadline, "the disk is not used again");
            var sealer = new LedgerSealer((ulong)appended++ * 100, 10, 5000);
            Assert.Equal(AppendResult.Appended, link.Link.TryAppend(PriorityClass.Event, sealer));
            if (_folder.Segments.Any(s => new FileInfo(s).Length > 5000))
            {
                break;
            }
        }

        link.Next(LinkEventKind.SpoolAccepted);
    }

    public void Dispose()
    {
        if (_mounted)
        {
            Run("umount", $"-l {_folder.Path}");
        }

        _folder.Dispose();
    }

    private static bool Run(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
