using System.Security.Cryptography;
using System.Text;

namespace Streams.Schema.Tests;

public sealed class CatalogueTests
{
    [Fact]
    public void Digest_is_the_hash_of_the_canonical_text()
    {
        var computed = SHA256.HashData(Encoding.UTF8.GetBytes(Catalogue.CanonicalText()));
        Assert.True(
            computed.AsSpan().SequenceEqual(Catalogue.Digest),
            $"the declarations changed: raise Catalogue.Version and put {Convert.ToHexString(computed)} into CatalogueDigest");
    }

    [Fact]
    public void Ids_and_names_never_change()
    {
        (ushort, string)[] expected =
        [
            (1, "process_exec"), (2, "process_exit"), (3, "network_connect"), (4, "network_accept"), (5, "network_close"),
            (16, "host_metric"), (17, "module_metric"), (32, "ledger_barrier"), (33, "batch_proof"), (48, "system_alert"), (49, "auth_failure"),
            (50, "agent_session"), (51, "agent_identity"), (52, "command"), (53, "audit"),
        ];
        foreach (var (id, name) in expected)
        {
            Assert.True(Catalogue.TryGet(id, out var byId));
            Assert.True(Catalogue.TryGet(name, out var byName));
            Assert.Same(byId, byName);
        }

        Assert.False(Catalogue.TryGet(60000, out _));
    }

    [Fact]
    public void Every_class_begins_with_the_claim_columns()
    {
        foreach (var eventClass in Catalogue.Classes)
        {
            for (var i = 0; i < ClaimColumns.Count; i++)
            {
                Assert.Same(ClaimColumns.All[i], eventClass.Columns[i]);
            }

            Assert.All(eventClass.Columns.Skip(ClaimColumns.Count), c => Assert.True(c.Id >= ClaimColumns.FirstClassColumnId));
            Assert.All(eventClass.Columns, c => Assert.Matches("^[a-z][a-z0-9_]*$", c.Name));
        }
    }

    [Fact]
    public void Rows_of_servers_are_of_one_priority_class_so_that_a_producer_has_one_lane() =>
        Assert.All(Catalogue.Classes.Where(c => c.Producer == EventProducer.Server), c => Assert.Equal(PriorityClass.Alert, c.Priority));

    [Fact]
    public void A_repeated_column_id_and_a_name_of_the_servers_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new EventClass(
            900, "x", 1, PriorityClass.Event, "c", EventProducer.Agent, "d",
            new Column(16, "a", ColumnType.UInt8, ""), new Column(16, "b", ColumnType.UInt8, "")));
        Assert.Throws<ArgumentException>(() => new EventClass(
            900, "x", 1, PriorityClass.Event, "c", EventProducer.Agent, "d", new Column(16, "host", ColumnType.UInt8, "")));
    }

    [Fact]
    public void The_types_have_pinned_numbers()
    {
        Assert.Equal(Enumerable.Range(1, 15).Select(i => (ColumnType)i), ColumnTypes.All);
        Assert.Equal(LossCauses.Count, Enum.GetValues<LossCause>().Length);
        Assert.Equal("ring_full", LossCauses.Name(LossCause.RingFull));
        Assert.Equal("unknown", LossCauses.Name((LossCause)99));
    }
}
