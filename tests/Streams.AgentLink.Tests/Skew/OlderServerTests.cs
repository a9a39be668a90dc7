using Streams.AgentLink.Tests.Gateway;
using Streams.AgentLink.Tests.Proof;
using Streams.AgentLink.Tests.Spool;
using Streams.Schema;

namespace Streams.AgentLink.Tests.Skew;

/// <summary>The server is of an earlier build: the agent writes what that build can read, and the rest waits.</summary>
public sealed class OlderServerTests : IDisposable
{
    private const ushort Older = 2;

    private readonly ScriptedGateway _gateway = new();
    private readonly SpoolFolder _folder = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Only_what_the_older_catalogue_has_is_written_and_the_rest_follows_its_upgrade(bool onDisk)
    {
        await using var link = new RunningLink(_gateway, o => o with { Proofs = true, SpoolDirectory = onDisk ? _folder.Path : null });
        var received = new ReceivedProofs();
        await using (var peer = await SessionAsync(Older))
        {
            Assert.Equal(Older, peer.Ready!.CatalogueVersion);
            for (var i = 0; i < 70; i++)
            {
                Append(link, ProcessClasses.Exec);
            }

            Append(link, ServerClasses.AuthFailure); // of a class that came later
            Append(link, ServerClasses.SystemAlert); // of the same priority, and known
            await received.ReceiveAsync(peer, r => r.Digests.Count == 71);
            Assert.All(received.Headers, header => Assert.Equal(Older, header.CatalogueVersion));
            Assert.All(received.Headers, header => Assert.True(Catalogue.TryGet(header.ClassId, out var c) && c.VersionIn(Older) == header.SchemaVersion));
            Assert.Equal((0UL, 0UL), (link.Link.Status.Checkpoints, link.Link.Status.LanesHeld));
            Assert.Equal(Older, link.Link.CatalogueVersion);
            peer.Cut();
        }

        await using var newer = await SessionAsync(Catalogue.Version);
        for (var i = 0; i < 3; i++)
        {
            Append(link, ProcessClasses.Exec);
        }

        var flush = link.Link.FlushAsync(ScriptedGateway.Deadline);
        await received.ReceiveAsync(newer, r => r.Rows.Count >= 3 && r.Headers.Exists(header => header.ClassId == ServerClasses.AuthFailure.Id));
        Assert.True(await flush);
        Assert.Contains(received.Headers, header => header.CatalogueVersion == Catalogue.Version && header.ClassId == ProcessClasses.Exec.Id);

        // Proofs begin where the server can store them, and say that what was before is not in their chain.
        Assert.Equal(3, received.Verify(_gateway.Agent.PublicKey).Count);
    }

    [Fact]
    public async Task A_newer_server_is_spoken_to_in_the_own_catalogue()
    {
        await using var link = new RunningLink(_gateway);
        await using var peer = await SessionAsync(Catalogue.Version + 1);
        Append(link, ProcessClasses.Exec);
        var received = new ReceivedProofs();
        await received.ReceiveAsync(peer, r => r.Digests.Count == 1);
        Assert.Equal(Catalogue.Version, Assert.Single(received.Headers).CatalogueVersion);
    }

    public void Dispose()
    {
        _gateway.Dispose();
        _folder.Dispose();
    }

    private async Task<ScriptedPeer> SessionAsync(int catalogue)
    {
        var peer = await _gateway.AcceptSessionAsync(p => p.CatalogueVersion = (ushort)catalogue);
        await peer.GrantAllAsync(1 << 28);
        return peer;
    }

    private static void Append(RunningLink link, EventClass eventClass)
    {
        using var builder = new BatchBuilder(eventClass);
        Assert.True(builder.TryBeginRow());
        builder.SetClaim(1_700_000_000_000_000, 1, 0, 0, 0);
        builder.EndRow();
        builder.TryAddLedger(0, 1, 1, 1);
        var sealer = new BuilderSealer(builder, new BatchStamp(link.Link.Epoch), BatchCompression.Lz4);
        Assert.Equal(AppendResult.Appended, link.Link.TryAppend(eventClass.Priority, sealer));
    }
}
