using System.Buffers.Binary;
using Streams.Agent;
using Streams.Agent.Modules.Core.Commands;
using Streams.Control.Commands;
using Streams.Wire.Crypto;

namespace Streams.Fuzz.Targets;

/// <summary>
/// The agent's journal of commands, as it may be found: it opens or says that it cannot be trusted, and opened twice it says the same. Sums
/// are put right first, so that what is behind them is reached.
/// </summary>
internal sealed class JournalFuzz : FuzzTarget, IDisposable
{
    // In memory: a journal is synced, and this is about what it reads.
    private readonly string _folder = Directory.CreateDirectory($"/dev/shm/streams-fuzz-{Environment.ProcessId}-{Guid.NewGuid():N}").FullName;

    public override string Name => "journal";

    public override IEnumerable<byte[]> Seeds()
    {
        var begun = JournalRecord.WriteBegun(new JournalEntry(new CommandId(7), new byte[32], CommandSigner.Service, 1, ulong.MaxValue / 4));
        yield return [.. begun, .. JournalRecord.WriteEnded(new CommandId(7), "{}"u8)];
        yield return [.. JournalRecord.WriteProved(CommandSigner.Operator, 99), .. begun];
    }

    public override int Run(ReadOnlySpan<byte> input)
    {
        var content = input.ToArray();
        Repair(content);
        var path = Path.Combine(_folder, "commands.journal");
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        try
        {
            int count;
            using (var journal = CommandJournal.OpenAt(path, new CommandClock(TimeProvider.System, DateTimeOffset.UnixEpoch)))
            {
                count = journal.Count;
                Must(count <= CommandJournal.MaxEntries + (content.Length / JournalRecord.BegunBytes) && journal.WithoutResult.Count() <= count, "more than was written");
            }

            using var again = CommandJournal.OpenAt(path, new CommandClock(TimeProvider.System, DateTimeOffset.UnixEpoch));
            Must(again.Count == count, "opened twice it says something else");
            return 1 + Math.Min(count, 64);
        }
        catch (AgentException)
        {
            return 0;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Repair(Span<byte> content)
    {
        Span<byte> digest = stackalloc byte[Sha256.Size];
        while (content.Length > JournalRecord.HeaderBytes)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(content);
            if (length == 0 || length > content.Length - JournalRecord.HeaderBytes)
            {
                return;
            }

            Sha256.Hash(content.Slice(JournalRecord.HeaderBytes, (int)length), digest);
            digest[..4].CopyTo(content[4..]);
            content = content[(JournalRecord.HeaderBytes + (int)length)..];
        }
    }
}
