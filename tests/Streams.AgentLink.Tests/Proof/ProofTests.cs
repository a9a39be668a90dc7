using Streams.AgentLink.Spool;
using Streams.AgentLink.Tests.Gateway;
using Streams.AgentLink.Tests.Spool;
using Streams.Schema;

namespace Streams.AgentLink.Tests.Proof;

public sealed class ProofTests : IDisposable
{
    private readonly ScriptedGateway _gateway = new();
    private readonly SpoolFolder _folder = new();
    private readonly BatchBuilder _builder = new(ProcessClasses.Exec);
    private int _rows;

    [Fact]
    public async Task EveryBatchHasARowAndEvery64AreSigned()
    {
        await using var link = Link();
        await using var peer = await SessionAsync();
        Append(link, 150);
        Assert.Equal(2UL, link.Link.Status.Checkpoints);
        var received = new ReceivedProofs();
        var flush = link.Link.FlushAsync(ScriptedGateway.Deadline);
        await received.ReceiveAsync(peer, r => r.Rows.Count(row => row.Lane == 0) == 150);
        Assert.True(await flush);
        Assert.Equal([63u, 127u, 149u], received.Rows.Where(row => row.Signature.Length > 0).Select(row => row.N));
        Assert.Equal(150, received.Verify(_gateway.Agent.PublicKey).Count);
        Assert.All(received.Rows, row => Assert.False(row.Restart));
    }

    [Fact]
    public async Task ALaneWithLittleIsSignedAfterTenSecondsAndProofsAreProvenWithTheNextOnes()
    {
        await using var link = Link(time: new HurriedTime());
        await using var peer = await SessionAsync();
        var received = new ReceivedProofs();
        Append(link, 3);
        await received.ReceiveAsync(peer, r => r.Rows.Count == 3);
        var proofs = received.Headers.Single(header => header.ClassId == LedgerClasses.BatchProof.Id).Name;
        Append(link, 2);
        await received.ReceiveAsync(peer, r => r.Rows.Count == 6);
        var signed = received.Verify(_gateway.Agent.PublicKey);
        Assert.Equal(6, signed.Count);
        Assert.Contains(proofs, signed);
    }

    [Fact]
    public async Task ManyBatchesAreProvenWithoutWaiting()
    {
        await using var link = Link();
        await using var peer = await SessionAsync();
        var received = new ReceivedProofs();
        for (var i = 0; i < 6; i++)
        {
            Append(link, 100);
            await received.ReceiveAsync(peer, r => r.Digests.Count >= (i + 1) * 100);
        }

        await received.ReceiveAsync(peer, r => r.Rows.Count >= 512);
        Assert.True(received.Verify(_gateway.Agent.PublicKey).Count >= 448);
        Assert.Equal(0UL, link.Link.Status.ProofsDropped);
    }

    [Fact]
    public async Task WhatADeadProcessLeftUnsignedIsSignedByTheNext()
    {
        BatchName last;
        using (var dead = Silent())
        {
            Append(dead, 70);
            last = new BatchName(dead.Epoch, 0, 69);
        }

        await using var link = Link(onDisk: true);
        await using var peer = await SessionAsync();
        var received = new ReceivedProofs();
        await received.ReceiveAsync(peer, r => r.Rows.Count(row => row.Restart) >= 70 && r.Digests.ContainsKey(last));
        Assert.Superset(Enumerable.Range(0, 70).Select(n => last with { N = (uint)n }).ToHashSet(), received.Verify(_gateway.Agent.PublicKey));
        Assert.Equal([63u, 69u], received.Rows.Where(row => row.Restart && row.Signature.Length > 0).Select(row => row.N));
    }

    [Fact]
    public async Task WhatIsSignedIsNotSignedAgain()
    {
        using (var first = Silent())
        {
            Append(first, 10);
            Assert.False(await first.FlushAsync(TimeSpan.Zero)); // signs; nobody takes the batches
            Assert.Equal(1UL, first.Status.Checkpoints);
        }

        await using var link = Link(onDisk: true);
        await using var peer = await SessionAsync();
        var received = new ReceivedProofs();
        await received.ReceiveAsync(peer, r => r.Rows.Count >= 11 && r.Digests.Count >= 12);

        // Ten by the first process; what the second signs is the batch of proofs that the first could not sign any more.
        Assert.Equal(10, received.Rows.Count(row => !row.Restart));
        Assert.Single(received.Rows, row => row.Restart);
        Assert.Equal(11, received.Verify(_gateway.Agent.PublicKey).Count);
    }

    [Fact]
    public async Task AnEvictedLaneIsSignedAsTheTombstonesItIs()
    {
        using (var dead = Silent())
        {
            Append(dead, 5);
        }

        var path = Assert.Single(Directory.GetFiles(_folder.Path, "*.lane"));
        Assert.True(SegmentName.TryParse(Path.GetFileName(path), out var name));
        using (var segment = Segment.Open(path, name, new SpoolCounters(), readOnly: false)!)
        {
            Assert.True(segment.TryEvict());
        }

        await using var link = Link(onDisk: true);
        await using var peer = await SessionAsync();
        var received = new ReceivedProofs();
        await received.ReceiveAsync(peer, r => r.Rows.Count >= 5 && r.Headers.Count(header => header.Rows == 0) == 5);
        Assert.Equal(5, received.Verify(_gateway.Agent.PublicKey).Count);
    }

    [Fact]
    public async Task AppendingWithProofsAllocatesNothing()
    {
        await using var link = Link(onDisk: true);
        Append(link, 3000);
        var allocated = await Task.Factory.StartNew(() =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Append(link, 3000);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }, default, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        // Now and then a segment is full, and its file makes objects.
        Assert.InRange(allocated, 0, 12_000);
        Assert.True(link.Link.Status.Checkpoints > 90);
    }

    public void Dispose()
    {
        _builder.Dispose();
        _gateway.Dispose();
        _folder.Dispose();
    }

    private RunningLink Link(bool onDisk = false, TimeProvider? time = null) => new(
        _gateway, o => o with { Proofs = true, SpoolDirectory = onDisk ? _folder.Path : null }, time);

    /// <summary>A link with the spool that connects to nobody: what it has is left to the next.</summary>
    private AgentLink Silent() => new(
        _gateway.Options with { Proofs = true, SpoolDirectory = _folder.Path }, _gateway.Agent, new AgentLinkHooks { NextConnectCounter = () => 1 });

    private async Task<ScriptedPeer> SessionAsync()
    {
        var peer = await _gateway.AcceptSessionAsync();
        await peer.GrantAllAsync(1 << 28);
        return peer;
    }

    private void Append(RunningLink link, int batches) => Append(link.Link, batches);

    private void Append(AgentLink link, int batches)
    {
        for (var i = 0; i < batches; i++)
        {
            _builder.Reset();
            for (var row = 0; row < 3; row++)
            {
                _builder.TryBeginRow(20);
                _builder.SetClaim(1_700_000_000_000_000 + _rows, (ulong)_rows++, 0, 0, 0);
                _builder.TrySetDictionary(ProcessClasses.Exec.OrdinalOf("comm"), "bash"u8);
                _builder.TrySetString(ProcessClasses.Exec.OrdinalOf("argv"), "bash\0-c"u8);
                _builder.EndRow();
            }

            _builder.TryAddLedger(0, (ulong)_rows - 3, (ulong)_rows - 1, 3);
            var sealer = new BuilderSealer(_builder, new BatchStamp(link.Epoch), BatchCompression.Lz4);
            if (link.TryAppend(PriorityClass.Event, sealer) != AppendResult.Appended)
            {
                throw new InvalidOperationException("no room");
            }
        }
    }
}
