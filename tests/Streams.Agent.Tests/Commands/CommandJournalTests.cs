using Streams.Agent.Modules.Core.Commands;
using Streams.Control.Commands;

namespace Streams.Agent.Tests.Commands;

public sealed class CommandJournalTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly CommandFixture _agent;

    public CommandJournalTests() => _agent = new CommandFixture(_clock);

    public void Dispose() => _agent.Dispose();

    [Fact]
    public async Task A_command_without_a_result_is_unknown_after_a_restart_and_not_run_again()
    {
        var document = _agent.Sign();
        Assert.True(_agent.Journal.TryBegin(document));
        _agent.Restart();
        _agent.Control.SessionBegan();
        Assert.Equal((document.Id.ToString(), CommandState.Unknown), (_agent.Answers.Single().Command, _agent.Answers.Single().State));
        Assert.Equal(CommandState.Unknown, (await _agent.AskAsync(document)).State);
        Assert.Equal(0, _agent.Runs);
    }

    /// <summary>Every length that a torn append can leave: what was begun whole stays begun, what was not was not.</summary>
    [Fact]
    public void A_torn_append_is_dropped_and_no_whole_record_with_it()
    {
        var first = _agent.Sign();
        Assert.True(_agent.Journal.TryBegin(first));
        var whole = (int)_agent.Journal.Length;
        Assert.True(_agent.Journal.TryBegin(_agent.Sign()));
        _agent.Control.Dispose();
        var bytes = File.ReadAllBytes(_agent.JournalPath);
        for (var length = whole; length < bytes.Length; length++)
        {
            File.WriteAllBytes(_agent.JournalPath, bytes[..length]);
            AssertOnly(first);
            // The size was on the disk and the content was not.
            byte[] zeroed = [.. bytes[..length], .. new byte[bytes.Length - length]];
            File.WriteAllBytes(_agent.JournalPath, zeroed);
            // A record that ends in zeros is whole without them.
            if (!zeroed.AsSpan().SequenceEqual(bytes))
                AssertOnly(first);
        }
    }

    [Fact]
    public void A_journal_that_is_damaged_before_its_end_is_not_believed()
    {
        for (var i = 0; i < 3; i++)
            Assert.True(_agent.Journal.TryBegin(_agent.Sign()));
        var at = _agent.Journal.Length / 2;
        _agent.Control.Dispose();
        var bytes = File.ReadAllBytes(_agent.JournalPath);
        bytes[at] ^= 1;
        File.WriteAllBytes(_agent.JournalPath, bytes);
        var damage = Assert.Throws<AgentException>(() => CommandJournal.OpenAt(_agent.JournalPath, _agent.CommandClock));
        Assert.Contains("damaged at byte", damage.Message, StringComparison.Ordinal);
    }

    /// <summary>It points behind the end, as that of a torn append does; but the record is there, or others are behind it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_damaged_length_is_no_torn_append(int record)
    {
        var starts = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            starts.Add((int)_agent.Journal.Length);
            Assert.True(_agent.Journal.TryBegin(_agent.Sign()));
        }

        starts.Add((int)_agent.Journal.Length);
        _agent.Journal.End(_agent.Journal.WithoutResult.First(), "{\"state\":\"finished\"}"u8);
        _agent.Control.Dispose();
        var bytes = File.ReadAllBytes(_agent.JournalPath);
        foreach (var length in new[] { int.MinValue, -1, bytes.Length - starts[record] - 7, bytes.Length, JournalRecord.MaxLength, JournalRecord.MaxLength + 1, int.MaxValue })
        {
            var damaged = bytes.ToArray();
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(damaged.AsSpan(starts[record]), length);
            File.WriteAllBytes(_agent.JournalPath, damaged);
            var damage = Assert.Throws<AgentException>(() => CommandJournal.OpenAt(_agent.JournalPath, _agent.CommandClock));
            Assert.Contains($"damaged at byte {starts[record]}", damage.Message, StringComparison.Ordinal);
            Assert.Equal(damaged, File.ReadAllBytes(_agent.JournalPath));
        }
    }

    [Fact]
    public async Task Ids_are_kept_until_a_day_after_the_deadline_and_then_leave_the_time_behind()
    {
        var document = _agent.Sign();
        await _agent.AskAsync(document);
        var wall = _clock.GetUtcNow();
        _clock.Pass(TimeSpan.FromHours(24));
        _agent.Restart();
        Assert.Equal(1, _agent.Journal.Count);
        _clock.Pass(TimeSpan.FromMinutes(11));
        _agent.Restart();
        Assert.Equal(0, _agent.Journal.Count);

        // The clock goes back to when it was valid.
        _clock.SetWall(wall);
        _agent.Restart();
        Assert.Equal(CommandState.Expired, (await _agent.AskAsync(document)).State);
        Assert.Equal(1, _agent.Runs);
        Assert.Equal(document.Fields.Deadline + 1, _agent.CommandClock.Floor(CommandSigner.Service));
    }

    [Fact]
    public async Task A_full_journal_refuses_what_it_could_not_remember()
    {
        for (var i = 0; i < CommandJournal.MaxEntries; i++)
            Assert.True(_agent.Journal.TryBegin(_agent.Sign()));
        Assert.Equal("journal_full", (await _agent.AskAsync(_agent.Sign())).Detail);
        Assert.Equal(0, _agent.Runs);
    }

    [Fact]
    public void The_file_stays_small_and_forgets_results_before_ids()
    {
        var answer = new byte[CommandLimits.MaxResultBytes];
        var longest = 0L;
        for (var i = 0; i < 60; i++)
        {
            var document = _agent.Sign();
            Assert.True(_agent.Journal.TryBegin(document));
            Assert.True(_agent.Journal.TryFind(document.Id, out var entry));
            _agent.Journal.End(entry, answer);
            longest = Math.Max(longest, _agent.Journal.Length);
            Assert.Equal(answer, _agent.Journal.ReadAnswer(entry));
        }

        Assert.InRange(longest, 1, CommandJournal.CompactBytes + CommandLimits.MaxResultBytes + 4096);
        Assert.Equal(60, _agent.Journal.Count);
        _agent.Restart();
        Assert.Equal(60, _agent.Journal.Count);
        Assert.Empty(_agent.Journal.WithoutResult);
    }

    private void AssertOnly(CommandDocument document)
    {
        using var journal = CommandJournal.OpenAt(_agent.JournalPath, _agent.CommandClock);
        Assert.Equal(1, journal.Count);
        Assert.True(journal.TryFind(document.Id, out _));
    }
}
