using System.Globalization;
using Streams.Checker.Journals;
using Streams.Testing;

namespace Streams.EndToEnd.Tests;

/// <summary>The checker must be able to fail: real ClickHouse, and each kind of damage is found as what it is.</summary>
public sealed class CheckerTests(ClickHouseProcess engine) : IClassFixture<ClickHouseProcess>
{
    private const string Agent = "a";
    private const ulong SensorEpoch = 0xFEDC_BA98_7654_3210;
    private const ulong Kept = 100;
    private const string Rows = "events";

    private readonly string _database = "checked_" + Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Rows_that_are_all_there_once_are_clean()
    {
        var verdict = await JudgeAsync("SELECT 1");
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal((100, 100), (verdict.Emitted, verdict.Stored));
    }

    [Fact]
    public async Task A_deleted_row_is_lost()
    {
        var verdict = await JudgeAsync($"ALTER TABLE {Rows} DELETE WHERE seq = 37");
        Assert.Equal((1, 1, 0, 0, 0), (verdict.Lost, verdict.Unaccounted, verdict.Doubled, verdict.Reordered, verdict.Altered));
        Assert.Contains("37", Assert.Single(verdict.Findings));
    }

    [Fact]
    public async Task The_last_rows_of_a_journal_are_missed_too()
    {
        var verdict = await JudgeAsync($"ALTER TABLE {Rows} DELETE WHERE seq > 90");
        Assert.Equal((10, 10), (verdict.Lost, verdict.Unaccounted));
    }

    [Fact]
    public async Task A_row_under_the_same_name_is_doubled()
    {
        var verdict = await JudgeAsync($"INSERT INTO {Rows} SELECT * FROM {Rows} WHERE seq = 5");
        Assert.Equal((1, 0), (verdict.Doubled, verdict.Lost));
    }

    [Fact]
    public async Task A_row_under_another_name_is_doubled()
    {
        var verdict = await JudgeAsync(
            $"INSERT INTO {Rows} SELECT * REPLACE (toUInt32(7) AS lane) FROM {Rows} WHERE seq BETWEEN 11 AND 20");
        Assert.Equal((10, 0), (verdict.Doubled, verdict.Lost));
    }

    [Fact]
    public async Task A_changed_value_is_altered()
    {
        var verdict = await JudgeAsync($"ALTER TABLE {Rows} UPDATE socket_cookie = socket_cookie + 1 WHERE seq = 64");
        Assert.Equal((1, 0, 0), (verdict.Altered, verdict.Lost, verdict.Unaccounted));
    }

    [Fact]
    public async Task A_row_that_nobody_emitted_is_altered_and_unaccounted()
    {
        var verdict = await JudgeAsync(
            $"INSERT INTO {Rows} SELECT * REPLACE (toUInt64(101) AS seq) FROM {Rows} WHERE batch = 0 AND row = 0");
        // Its number is beyond the journal, and its mark is another number's.
        Assert.Equal((2, 1), (verdict.Altered, verdict.Unaccounted));
    }

    [Fact]
    public async Task Rows_of_a_process_that_never_ran_are_altered()
    {
        var verdict = await JudgeAsync($"INSERT INTO {Rows} SELECT * REPLACE (toUInt64(12345) AS sensor_epoch) FROM {Rows} WHERE seq = 1");
        Assert.Equal((1, 0), (verdict.Altered, verdict.Lost));
    }

    [Fact]
    public async Task Batches_that_changed_places_are_reordered()
    {
        var verdict = await JudgeAsync($"ALTER TABLE {Rows} UPDATE batch = if(batch = 3, 4, 3) WHERE batch IN (3, 4)");
        Assert.Equal((1, 0, 0), (verdict.Reordered, verdict.Lost, verdict.Doubled));
    }

    [Fact]
    public async Task A_counted_loss_is_no_loss()
    {
        var verdict = await JudgeAsync(
            $"ALTER TABLE {Rows} DELETE WHERE seq BETWEEN 41 AND 50",
            "ALTER TABLE loss_ledger UPDATE rows = 0, lost_spool_evicted = 10 WHERE first = 41");
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(10, verdict.CountedLosses["spool_evicted"]);
    }

    [Fact]
    public async Task A_loss_that_is_counted_and_did_not_happen_is_unaccounted()
    {
        var verdict = await JudgeAsync("ALTER TABLE loss_ledger UPDATE rows = 0, lost_spool_evicted = 10 WHERE first = 41");
        Assert.Equal((0, 10), (verdict.Lost, verdict.Unaccounted));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_killed_process_was_about_to_emit_may_be_stored_or_not(bool stored)
    {
        await FillAsync();
        if (stored)
        {
            await InsertAsync(101, 110, batch: 10);
        }

        await using var journal = new Journal();
        journal.Writer.Intend(110);
        var verdict = await CheckAsync(journal);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(10, verdict.InDoubt);
    }

    [Fact]
    public async Task A_torn_line_of_a_journal_is_not_read_as_a_smaller_number()
    {
        await FillAsync();
        await using var journal = new Journal();
        journal.Writer.Dispose();
        await File.AppendAllTextAsync(journal.Path, $"K {SensorEpoch:x16} 1");
        using (new JournalWriter(journal.Path, 1))
        {
        }

        Assert.Equal(Kept, Assert.Single(JournalFile.Read(journal.Path)).Kept);
    }

    private async Task<JournalVerdict> JudgeAsync(params string[] damage)
    {
        await FillAsync();
        foreach (var statement in damage)
        {
            var settings = statement.StartsWith("ALTER", StringComparison.Ordinal) ? " SETTINGS mutations_sync = 2" : "";
            await engine.QueryAsync(
                (statement + settings).Replace($" {Rows} ", $" {_database}.{Rows} ", StringComparison.Ordinal)
                    .Replace(" loss_ledger ", $" {_database}.loss_ledger ", StringComparison.Ordinal));
        }

        await using var journal = new Journal();
        return await CheckAsync(journal);
    }

    private async Task<JournalVerdict> CheckAsync(Journal journal)
    {
        using var checker = new JournalChecker(engine.Url, engine.User, engine.Password, _database, Rows, "socket_cookie");
        return await checker.CheckAsync(Agent, JournalFile.Read(journal.Path));
    }

    // Ten batches of ten rows in one lane, with one ledger row each.
    private async Task FillAsync()
    {
        await engine.QueryAsync($"CREATE DATABASE {_database}");
        await engine.QueryAsync(
            $"CREATE TABLE {_database}.{Rows} (agent_id String, epoch UInt64, lane UInt32, batch UInt32, row UInt32,"
            + " sensor_epoch UInt64, cpu UInt16,"
            + " seq UInt64, socket_cookie UInt64) ENGINE = MergeTree ORDER BY tuple()");
        await engine.QueryAsync(
            $"CREATE TABLE {_database}.loss_ledger (agent_id String, sensor_epoch UInt64, class String, first UInt64, last UInt64,"
            + " rows UInt32,"
            + " lost_spool_evicted UInt64, lost_server_lost UInt64) ENGINE = MergeTree ORDER BY tuple()");
        for (ulong batch = 0; batch < Kept / 10; batch++)
        {
            await InsertAsync(batch * 10 + 1, batch * 10 + 10, (uint)batch);
        }
    }

    private async Task InsertAsync(ulong first, ulong last, uint batch)
    {
        var rows = new List<string>();
        for (var seq = first; seq <= last; seq++)
        {
            rows.Add(string.Create(
                CultureInfo.InvariantCulture,
                    $"('{Agent}', 1, 0, {batch}, {seq - first}, {SensorEpoch}, 0, {seq}, {EventMark.Of(SensorEpoch, seq)})"));
        }

        await engine.QueryAsync($"INSERT INTO {_database}.{Rows} VALUES {string.Join(", ", rows)}");
        await engine.QueryAsync(
            $"INSERT INTO {_database}.loss_ledger VALUES ('{Agent}', {SensorEpoch}, '{Rows}', {first}, {last}, {last - first + 1}, 0, 0)");
    }

    private sealed class Journal : IAsyncDisposable
    {
        private readonly TempDirectory _directory = new();

        public Journal()
        {
            Path = System.IO.Path.Combine(_directory.Path, "journal");
            Writer = new JournalWriter(Path, SensorEpoch);
            Writer.Intend(Kept);
            Writer.Keep(Kept);
        }

        public string Path { get; }

        public JournalWriter Writer { get; }

        public ValueTask DisposeAsync()
        {
            Writer.Dispose();
            _directory.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
