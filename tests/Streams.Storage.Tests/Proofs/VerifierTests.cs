using Streams.Schema;

namespace Streams.Storage.Tests.Proofs;

/// <summary>What somebody with every right in ClickHouse does to rows is found, and named.</summary>
[Collection(EngineCollection.Name)]
public sealed class VerifierTests(Engine engine)
{
    private const string Rows = "process_exec";

    [Fact]
    public async Task What_was_sent_is_signed_and_the_tail_is_not()
    {
        using var agent = new ProvenAgent(engine, "proof-clean");
        agent.Add(0, 4);
        agent.Add(0, 4);
        agent.Add(1, 3);
        agent.Add(0, 2, sign: false);
        await agent.StoreAsync();
        var reports = await agent.VerifyAsync();
        Assert.Equal([("unsigned_tail", 8L, 2L, 200L), ("signed", 3L, 0L, 60L)], reports.Select(r => (r.State, r.Signed, r.Unsigned, r.Rows)));
        Assert.All(reports, report => Assert.Empty(report.Findings));
    }

    [Fact]
    public async Task One_altered_value_is_found()
    {
        using var agent = await StoredAsync("proof-altered");
        await agent.ChangeAsync($"ALTER TABLE {Rows} UPDATE pid = pid + 1 {agent.Where(2)} AND row = 7");
        await ExpectAsync(agent, "altered", 2, "altered");
    }

    [Fact]
    public async Task An_altered_text_and_an_altered_claim_are_found_too()
    {
        using var agent = await StoredAsync("proof-text");
        await agent.ChangeAsync($"ALTER TABLE {Rows} UPDATE comm = 'bash', policy_generation = 1 {agent.Where(5)} AND row = 19");
        await ExpectAsync(agent, "altered", 5, "altered");
    }

    [Fact]
    public async Task A_deleted_row_is_missing()
    {
        using var agent = await StoredAsync("proof-deleted");
        await agent.ChangeAsync($"ALTER TABLE {Rows} DELETE {agent.Where(3)} AND row = 0");
        await ExpectAsync(agent, "missing_rows", 3, "missing_rows");
    }

    [Fact]
    public async Task A_deleted_batch_is_missing_also_with_its_ledger()
    {
        using var agent = await StoredAsync("proof-gone");
        await agent.ChangeAsync($"ALTER TABLE {Rows} DELETE {agent.Where(6)}");
        await ExpectAsync(agent, "missing_rows", 6, "missing_rows");
        await agent.ChangeAsync($"ALTER TABLE loss_ledger DELETE {agent.Where(6)}");
        Assert.Equal(("missing_rows", 6u), Assert.Single(Assert.Single(await agent.VerifyAsync()).Findings) is var f ? (f.Kind, f.Batch) : default);
    }

    [Fact]
    public async Task Two_swapped_rows_are_altered()
    {
        using var agent = await StoredAsync("proof-swapped");
        await agent.ChangeAsync(
            $"INSERT INTO {Rows} SELECT * REPLACE(toUInt32(row + 1000) AS row) FROM (SELECT * FROM {Rows} {agent.Where(1)} AND row IN (4, 5))");
        await agent.ChangeAsync($"ALTER TABLE {Rows} DELETE {agent.Where(1)} AND row IN (4, 5)");
        await agent.ChangeAsync(
            $"INSERT INTO {Rows} SELECT * REPLACE(toUInt32(1009 - row) AS row) FROM (SELECT * FROM {Rows} {agent.Where(1)} AND row >= 1000)");
        await agent.ChangeAsync($"ALTER TABLE {Rows} DELETE {agent.Where(1)} AND row >= 1000");
        Assert.Equal("20", (await engine.QueryAsync($"SELECT uniqExact(row) FROM {Rows} {agent.Where(1)}")).Trim());
        await ExpectAsync(agent, "altered", 1, "altered");
    }

    [Theory]
    [InlineData(20)] // one more at the end
    [InlineData(7)] // a second one of a number
    public async Task An_inserted_row_is_extra(int row)
    {
        using var agent = await StoredAsync($"proof-inserted-{row}");
        await agent.ChangeAsync(
            $"INSERT INTO {Rows} SELECT * REPLACE(toUInt32({row}) AS row, toUInt32(4711) AS pid) FROM (SELECT * FROM {Rows} {agent.Where(0)} AND row = 1)");
        await ExpectAsync(agent, "altered", 0, "extra_rows");
    }

    [Fact]
    public async Task A_proof_of_another_lane_proves_nothing()
    {
        using var agent = new ProvenAgent(engine, "proof-replayed");
        agent.Add(0, 4);
        agent.Add(1, 4);
        await agent.StoreAsync();
        await agent.ChangeAsync("ALTER TABLE batch_proof DELETE WHERE agent_id = 'proof-replayed' AND proven_lane = 1");
        await agent.ChangeAsync(
            "INSERT INTO batch_proof SELECT * REPLACE(toUInt32(1) AS proven_lane) FROM (SELECT * FROM batch_proof WHERE agent_id = 'proof-replayed' AND proven_lane = 0)");
        var reports = await agent.VerifyAsync();
        Assert.Equal("signed", reports[0].State);
        Assert.Equal("altered", reports[1].State);
        Assert.Equal(0, reports[1].Signed);
        Assert.Contains(reports[1].Findings, finding => finding is { Kind: "bad_signature", Batch: 3 });
    }

    [Fact]
    public async Task A_signature_of_another_key_is_told()
    {
        using var agent = await StoredAsync("proof-key");
        using var other = new ProvenAgent(engine, "proof-key"); // the same id, another key
        var report = Assert.Single(await other.VerifyAsync());
        Assert.Equal(["bad_signature", "bad_signature"], report.Findings.Select(finding => finding.Kind));
        Assert.Equal(0, report.Signed);
    }

    [Fact]
    public async Task Lost_digest_rows_do_not_spoil_a_signature()
    {
        using var agent = await StoredAsync("proof-holes");
        await agent.ChangeAsync("ALTER TABLE batch_proof DELETE WHERE agent_id = 'proof-holes' AND proven_batch IN (1, 2)");
        var report = Assert.Single(await agent.VerifyAsync());
        Assert.Equal(("signed", 8L), (report.State, report.Signed));
    }

    [Fact]
    public async Task Rows_without_proofs_are_told_apart_by_encoding_and_age()
    {
        var elapsed = (int)(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - (Batches.Now / 1_000_000));
        using var young = new ProvenAgent(engine, "proof-young", ageSeconds: -elapsed);
        young.Add(0, 3, prove: false);
        await young.StoreAsync();
        Assert.Equal("unsigned_tail", Assert.Single(await young.VerifyAsync()).State);

        using var old = new ProvenAgent(engine, "proof-old", ageSeconds: 600);
        old.Add(0, 3, prove: false);
        await old.StoreAsync();
        Assert.Equal(("no_proof", 3L), Assert.Single(await old.VerifyAsync()) is var report ? (report.State, report.NoProof) : default);
        await engine.Client.ExecuteAsync(
            "INSERT INTO agent_session (agent_id, received_at, agent, event, encoding) SELECT '_gateway-1', now64(6) - INTERVAL 15 MINUTE, 'proof-old', 'begin', 'json'");
        Assert.Equal("unsigned_json", Assert.Single(await old.VerifyAsync()).State);
    }

    [Fact]
    public async Task Without_proofs_the_ledger_still_tells_how_many_rows_there_were()
    {
        using var agent = new ProvenAgent(engine, "proof-none");
        agent.Add(0, 3, prove: false);
        await agent.StoreAsync();
        await agent.ChangeAsync($"ALTER TABLE {Rows} DELETE {agent.Where(1)} AND row = 3");
        var report = Assert.Single(await agent.VerifyAsync());
        Assert.Equal(1, report.Wrong); // the ledger knows how many there were
        Assert.Equal("missing_rows", Assert.Single(report.Findings).Kind);
    }

    [Fact]
    public async Task What_was_evicted_is_lost_and_not_missing()
    {
        using var agent = new ProvenAgent(engine, "proof-evicted");
        agent.Add(0, 4);
        agent.Evict(0, 1);
        await agent.StoreAsync();
        var report = Assert.Single(await agent.VerifyAsync());
        Assert.Equal(("signed", 3L, 1L, 0L), (report.State, report.Signed, report.Lost, report.Wrong));
    }

    [Fact]
    public async Task A_lane_of_which_nothing_is_signed_is_not_called_signed()
    {
        using var agent = new ProvenAgent(engine, "proof-letter");
        agent.Add(0, 1, prove: false);
        agent.Evict(0, 0);
        await agent.StoreAsync();
        var report = Assert.Single(await agent.VerifyAsync());
        Assert.Equal(("lost", 0L, 1L, 0L), (report.State, report.Signed, report.Lost, report.Wrong));
    }

    /// <summary>The one that may say them: not a gateway, and not an agent about itself.</summary>
    [Fact]
    public async Task Former_keys_are_of_the_services_rows_only()
    {
        foreach (var producer in new[] { "_services-1", "_gateway-1", "proof-former" })
        {
            await engine.Client.ExecuteAsync(
                $"INSERT INTO agent_identity (agent_id, received_at, agent, public_key) SELECT '{producer}', now64(6), 'proof-former', 'key of {producer}'");
        }

        Assert.Equal(["key of _services-1"], await new ProofVerifier(engine.Client, (_, _) => false).FormerKeysAsync("proof-former"));
    }

    [Fact]
    public async Task A_later_process_begins_the_chain_anew()
    {
        using var agent = new ProvenAgent(engine, "proof-restart");
        agent.Add(0, 4);
        agent.Add(0, 3, restart: true);
        await agent.StoreAsync();
        var report = Assert.Single(await agent.VerifyAsync());
        Assert.Equal(("signed", 7L), (report.State, report.Signed));
    }

    [Fact]
    public async Task Batches_of_which_columns_were_ignored_are_named_so()
    {
        using var agent = await StoredAsync("proof-ignored");
        await agent.ChangeAsync(
            $"ALTER TABLE {Rows} UPDATE pid = 1, server_flags = {ServerColumns.ColumnsIgnored} {agent.Where(4)} AND row = 0");
        var report = Assert.Single(await agent.VerifyAsync());
        Assert.Equal(("columns_ignored", 7L, 1L), (report.State, report.Signed, report.ColumnsIgnored));
    }

    [Fact]
    public async Task A_batch_of_a_later_catalogue_than_the_verifier_knows_is_not_called_altered()
    {
        using var agent = await StoredAsync("proof-later");
        await agent.ChangeAsync($"ALTER TABLE {Rows} UPDATE pid = 1 {agent.Where(4)} AND row = 0");
        await agent.ChangeAsync($"ALTER TABLE loss_ledger UPDATE catalogue = {Catalogue.Version + 1} {agent.Where(4)}");
        await agent.ChangeAsync($"ALTER TABLE {Rows} DELETE {agent.Where(5)}");
        await agent.ChangeAsync($"ALTER TABLE loss_ledger UPDATE class = 'of_tomorrow' {agent.Where(5)}");
        var report = Assert.Single(await agent.VerifyAsync());
        Assert.Equal(("columns_ignored", 6L, 2L), (report.State, report.Signed, report.ColumnsIgnored));
    }

    private async Task<ProvenAgent> StoredAsync(string id)
    {
        var agent = new ProvenAgent(engine, id);
        agent.Add(0, 4);
        agent.Add(0, 4);
        await agent.StoreAsync();
        return agent;
    }

    private static async Task ExpectAsync(ProvenAgent agent, string state, uint batch, string kind)
    {
        var report = Assert.Single(await agent.VerifyAsync());
        var finding = Assert.Single(report.Findings);
        Assert.Equal((state, batch, kind, Rows), (report.State, finding.Batch, finding.Kind, finding.Class));
        Assert.Equal(7, report.Signed);
    }
}
