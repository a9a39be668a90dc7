using System.Text;
using Streams.ClickHouse.Embedded.Sql;

namespace Streams.ClickHouse.Embedded.Tests;

/// <summary>Where clauses are put and rows begin; the engine's view of the same statements is tested elsewhere.</summary>
public sealed class StatementTests
{
    [Theory]
    [InlineData("SELECT 1", "SELECT 1@")]
    [InlineData("SELECT 1 ; -- end", "SELECT 1@ ; -- end")]
    [InlineData("SELECT 1 FORMAT JSON", "SELECT 1 @FORMAT JSON")]
    [InlineData("SELECT 1 format JSON SETTINGS a = 1", "SELECT 1 @format JSON SETTINGS a = 1")]
    [InlineData("SELECT 1 SETTINGS a = 1 FORMAT JSON;", "SELECT 1 SETTINGS a = 1 @FORMAT JSON;")]
    [InlineData("SELECT format FROM t", "SELECT format FROM t@")]
    [InlineData("SELECT 1 AS format, format + 1", "SELECT 1 AS format, format + 1@")]
    [InlineData("SELECT ' FORMAT CSV' -- FORMAT TSV", "SELECT ' FORMAT CSV'@ -- FORMAT TSV")]
    [InlineData("SELECT (SELECT 1 FORMAT JSON)", "SELECT (SELECT 1 FORMAT JSON)@")]
    [InlineData("SELECT $x$ ; FORMAT CSV $x$", "SELECT $x$ ; FORMAT CSV $x$@")]
    [InlineData("SELECT `a``;`, \"b\\\"\" FROM t", "SELECT `a``;`, \"b\\\"\" FROM t@")]
    [InlineData("/*/ still a comment */ (SELECT 1) UNION ALL SELECT 2", "/*/ still a comment */ (SELECT 1) UNION ALL SELECT 2@")]
    [InlineData("WITH 1 AS x SELECT x", "WITH 1 AS x SELECT x@")]
    [InlineData("DESC t FORMAT CSV", "DESC t @FORMAT CSV")]
    public void Queries_get_their_clause_before_the_format(string sql, string marked)
    {
        var statement = Parse(sql);
        Assert.Equal(StatementKind.Output, statement.Kind);
        Assert.Equal(marked, sql.Insert(statement.Splice, "@"));
    }

    [Theory]
    [InlineData("INSERT INTO t FORMAT CSV\n1;2\n", "INSERT INTO t @FORMAT CSV", "1;2\n")]
    [InlineData("INSERT INTO t (a, format) FORMAT CSV  \r\nFORMAT", "INSERT INTO t (a, format) @FORMAT CSV", "FORMAT")]
    [InlineData("insert into values values (1)", "insert into values @values", " (1)")]
    [InlineData("INSERT INTO format.settings FORMAT TSV\n\n", "INSERT INTO format.settings @FORMAT TSV", "\n")]
    [InlineData("INSERT INTO `a b`.\"c\" SETTINGS x = 'VALUES' FORMAT TSV\n", "INSERT INTO `a b`.\"c\" @SETTINGS x = 'VALUES' FORMAT TSV", "")]
    [InlineData("INSERT INTO {d:Identifier}.{t:Identifier} SETTINGS x = 1 VALUES (1)", "INSERT INTO {d:Identifier}.{t:Identifier} @SETTINGS x = 1 VALUES", " (1)")]
    [InlineData("INSERT INTO FUNCTION file('FORMAT') FORMAT TSV\n", "INSERT INTO FUNCTION file('FORMAT') @FORMAT TSV", "")]
    [InlineData("/* ingest o 1 */\n-- FORMAT CSV\nINSERT INTO t(* EXCEPT(b)) FORMAT Native\n\0;'", "/* ingest o 1 */\n-- FORMAT CSV\nINSERT INTO t(* EXCEPT(b)) @FORMAT Native", "\0;'")]
    public void Inserts_are_parted_from_their_rows(string sql, string head, string rows)
    {
        var statement = Parse(sql);
        Assert.Equal(StatementKind.InsertData, statement.Kind);
        Assert.Equal(head, sql[..statement.DataStart].TrimEnd().Insert(statement.Splice, "@"));
        Assert.Equal(rows, sql[statement.DataStart..]);
    }

    [Theory]
    [InlineData("INSERT INTO t SELECT 1 FORMAT Null")]
    [InlineData("INSERT INTO t (a) WITH 1 AS x SELECT x")]
    [InlineData("INSERT INTO t (SELECT 1)")]
    [InlineData("INSERT INTO t (a) FROM s SELECT a")]
    [InlineData("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x")]
    [InlineData("CREATE TABLE t ENGINE = Memory AS SELECT 1 FORMAT x")]
    [InlineData("SET a = 1")]
    public void Others_are_left_alone(string sql) => Assert.Equal((StatementKind.Plain, null), (Parse(sql).Kind, Parse(sql).Error));

    [Theory]
    [InlineData("")]
    [InlineData(" ;")]
    [InlineData("-- a\n# b\n/* c")]
    public void Nothing_is_empty(string sql) => Assert.Equal(StatementKind.Empty, Parse(sql).Kind);

    [Theory]
    [InlineData("SELECT 1; DROP TABLE t", 62)]
    [InlineData("SET a = 1; SELECT 1", 62)]
    [InlineData("SELECT 1 /**/ INTO\nOUTFILE 'x'", 344)]
    [InlineData("INSERT INTO t SELECT 1 INTO OUTFILE 'x'", 344)]
    [InlineData("DROP TABLE t INTO OUTFILE 'x'", 344)]
    [InlineData("ALTER TABLE t DELETE WHERE 1 INTO OUTFILE 'x'", 344)]
    [InlineData("INSERT INTO t (a) FROM /**/ INFILE 'x' FORMAT CSV", 344)]
    [InlineData("INSERT INTO t SELECT * FROM input('a UInt8') FORMAT CSV 1", 48)]
    [InlineData("DROP DATABASE IF EXISTS `default`", 344)]
    [InlineData("drop database default sync", 344)]
    public void Refused(string sql, int code) => Assert.Equal(code, Parse(sql).Error?.Code);

    [Theory]
    [InlineData("DROP TABLE t SYNC", "DROP TABLE t     ")]
    [InlineData("DROP DATABASE IF EXISTS d sync ; ", "DROP DATABASE IF EXISTS d      ; ")]
    [InlineData("DROP TABLE `SYNC`", "DROP TABLE `SYNC`")]
    [InlineData("KILL QUERY WHERE 1 SYNC", "KILL QUERY WHERE 1 SYNC")]
    public void Sync_is_blanked_where_the_engine_would_hang(string sql, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(sql);
        Statement.Parse(bytes).BlankSync(bytes);
        Assert.Equal(expected, Encoding.UTF8.GetString(bytes));
    }

    [Fact]
    public void Any_bytes_are_taken_without_an_exception()
    {
        var random = new Random(20260101);
        ReadOnlySpan<byte> alphabet = "INSERT INTO FORMAT VALUES SELECT t(){}[]'\"`\\;$/*-#\n\0 .,1\u00ff"u8;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = random.GetItems(alphabet, random.Next(60));
            var statement = Statement.Parse(bytes);
            Assert.InRange(statement.Splice, 0, bytes.Length);
            Assert.InRange(statement.DataStart, 0, bytes.Length);
            Statement.Parse([.. "INSERT INTO "u8, .. bytes]);
        }
    }

    private static Statement Parse(string sql) => Statement.Parse(Encoding.UTF8.GetBytes(sql));
}
