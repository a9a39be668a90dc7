using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using Streams.Agent.Processes;
using Streams.Control.Commands;

namespace Streams.Agent.Modules.Core.Commands;

/// <summary>
/// Which commands were begun and how they ended, in one file: a command is in it, durably, before anything of it is done, and its answer
/// after. So a command runs at most once, whatever dies when, and is asked for as often as anybody likes. An id is kept until a day after
/// its deadline; what is forgotten leaves the time behind that its deadline proved, so that no clock brings it back. Not thread-safe.
/// </summary>
internal sealed class CommandJournal : IDisposable
{
    /// <summary>Ids that are kept. 64 may wait at once; a full journal refuses what it could not remember.</summary>
    public const int MaxEntries = 1024;

    /// <summary>Bytes of answers that are kept; older ones shrink to the fact that there was one.</summary>
    public const int MaxResultBytes = 512 * 1024;

    /// <summary>The file is written anew at this size: answers, ids, and as much again of what they replaced.</summary>
    public const long CompactBytes = 2 * MaxResultBytes;

    private const ulong KeepAfterDeadline = 24UL * 3600 * 1_000_000;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path;
    private readonly CommandClock _clock;
    private readonly Dictionary<CommandId, JournalEntry> _entries = [];
    private SafeFileHandle _file;
    private long _length;

    private CommandJournal(string path, CommandClock clock)
    {
        _path = path;
        _clock = clock;
        _file = Open(path);
    }

    public int Count => _entries.Count;

    /// <summary>Length of the file.</summary>
    public long Length => _length;

    /// <summary>Commands that were begun and have no result: of an earlier process, or running.</summary>
    public IEnumerable<JournalEntry> WithoutResult => _entries.Values.Where(entry => !entry.HasEnded);

    /// <summary>Reads the journal and tells the clock what it proves.</summary>
    /// <exception cref="AgentException">It cannot be used, or is damaged elsewhere than at its end: it may have forgotten what was done.</exception>
    public static CommandJournal OpenAt(string path, CommandClock clock)
    {
        CommandJournal? journal = null;
        try
        {
            journal = new CommandJournal(path, clock);
            journal.Load();
            journal.Compact();
            return journal;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            journal?.Dispose();
            throw new AgentException($"the journal of commands {path} cannot be used: {e.Message}");
        }
        catch
        {
            journal?.Dispose();
            throw;
        }
    }

    public bool TryFind(CommandId id, [NotNullWhen(true)] out JournalEntry? entry) => _entries.TryGetValue(id, out entry);

    /// <summary>Remembers a verified command, durably. False when as many are kept as may be.</summary>
    /// <exception cref="IOException">It is not on the disk: it must not be run.</exception>
    public bool TryBegin(CommandDocument document)
    {
        if (_entries.Count >= MaxEntries)
        {
            Compact();
            if (_entries.Count >= MaxEntries)
                return false;
        }

        var entry = new JournalEntry(document.Id, document.Digest.ToArray(), document.Signer, document.Fields.IssuedAt, document.Fields.Deadline);
        Append(JournalRecord.WriteBegun(entry));
        _entries.Add(entry.Id, entry);
        return true;
    }

    /// <summary>Keeps how a command ended, durably.</summary>
    /// <exception cref="IOException">It is not on the disk: after a restart the command is unknown.</exception>
    public void End(JournalEntry entry, ReadOnlySpan<byte> answer)
    {
        var at = Append(JournalRecord.WriteEnded(entry.Id, answer));
        entry.HasEnded = true;
        entry.ResultAt = at + JournalRecord.HeaderBytes + 1 + CommandId.Size;
        entry.ResultLength = answer.Length;
        if (_length > CompactBytes)
            Compact();
    }

    /// <summary>Remembers, durably, that a verified command's deadline has passed: a clock that is set back does not bring it back.</summary>
    /// <exception cref="IOException">It is not on the disk.</exception>
    public void Expire(CommandDocument document)
    {
        if (_clock.Prove(document.Signer, document.Fields.Deadline + 1))
            Append(JournalRecord.WriteProved(document.Signer, document.Fields.Deadline + 1));
        if (_length > CompactBytes)
            Compact();
    }

    /// <summary>The answer of a command that ended; null when it was dropped.</summary>
    public byte[]? ReadAnswer(JournalEntry entry)
    {
        if (entry.ResultLength == 0)
            return null;
        var answer = new byte[entry.ResultLength];
        return RandomAccess.Read(_file, answer, entry.ResultAt) == answer.Length ? answer : null;
    }

    public void Dispose() => _file.Dispose();

    private static SafeFileHandle Open(string path)
    {
        if (!File.Exists(path))
            new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }).Dispose();
        return File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
    }

    private void Load()
    {
        var end = RandomAccess.GetLength(_file);
        var header = new byte[JournalRecord.HeaderBytes];
        while (_length < end)
        {
            var whole = RandomAccess.Read(_file, header, _length) == header.Length;
            var length = BinaryPrimitives.ReadInt32LittleEndian(header);
            var content = whole && length is > 0 and <= JournalRecord.MaxLength ? new byte[length] : [];
            if (content.Length == 0 || RandomAccess.Read(_file, content, _length + header.Length) < length || !JournalRecord.IsWhole(header, content))
            {
                DropTail(end, length);
                return;
            }

            Apply(content[0], content.AsSpan(1), _length);
            _length += header.Length + length;
        }
    }

    /// <summary>
    /// An append that a power cut tore: nothing was done for it, because it had not returned. It is the last there is, so whatever lies behind
    /// a record that is not whole is another damage, and ids may be missing. A length that was damaged points behind the end as well.
    /// </summary>
    private void DropTail(long end, int length)
    {
        var tail = new byte[(int)Math.Min(end - _length, JournalRecord.MaxLength + JournalRecord.HeaderBytes + 1)];
        RandomAccess.Read(_file, tail, _length);
        var torn = !tail.AsSpan(Math.Min(sizeof(int), tail.Length)).ContainsAnyExcept((byte)0)
            || tail.Length <= JournalRecord.HeaderBytes
            || (length is > 0 and <= JournalRecord.MaxLength && _length + JournalRecord.HeaderBytes + length >= end && !JournalRecord.IsAnyIn(tail));
        if (!torn)
            throw new AgentException($"the journal of commands {_path} is damaged at byte {_length}: commands that were run may be missing; "
                + "move the file away when none of the last week's may run a second time");
        RandomAccess.SetLength(_file, _length);
        RandomAccess.FlushToDisk(_file);
    }

    private void Apply(byte type, ReadOnlySpan<byte> body, long at)
    {
        switch (type)
        {
            case JournalRecord.Begun:
                var entry = JournalRecord.ReadBegun(body);
                _clock.Prove(entry.Signer, entry.IssuedAt);
                _entries[entry.Id] = entry;
                break;
            case JournalRecord.Ended when _entries.TryGetValue(JournalRecord.ReadId(body), out var ended):
                ended.HasEnded = true;
                ended.ResultAt = at + JournalRecord.HeaderBytes + 1 + CommandId.Size;
                ended.ResultLength = body.Length - CommandId.Size;
                break;
            case JournalRecord.Proved:
                _clock.Prove((CommandSigner)body[0], BinaryPrimitives.ReadUInt64LittleEndian(body[1..]));
                break;
        }
    }

    private long Append(byte[] record)
    {
        var at = _length;
        try
        {
            RandomAccess.Write(_file, record, at);
            RandomAccess.FlushToDisk(_file);
        }
        catch (IOException)
        {
            // Whatever of it is there must not stay between what comes later.
            RandomAccess.SetLength(_file, at);
            throw;
        }

        _length = at + record.Length;
        return at;
    }

    /// <summary>Writes what is still needed beside the file, and puts it in its place.</summary>
    private void Compact()
    {
        var kept = new List<JournalEntry>(_entries.Count);
        foreach (var entry in _entries.Values)
        {
            if (entry.HasEnded && _clock.Now(entry.Signer) > entry.Deadline + KeepAfterDeadline)
                _clock.Prove(entry.Signer, entry.Deadline + 1);
            else
                kept.Add(entry);
        }

        var beside = _path + ".new";
        File.Delete(beside);
        var file = Open(beside);
        try
        {
            Rewrite(file, kept);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        File.Move(beside, _path, overwrite: true);
        Libc.SyncDirectory(Path.GetDirectoryName(_path)!);
        _file.Dispose();
        _file = file;
    }

    private void Rewrite(SafeFileHandle file, List<JournalEntry> kept)
    {
        // Places in the new file are only taken over when it is there.
        var answers = new Dictionary<JournalEntry, byte[]>();
        var room = MaxResultBytes;
        foreach (var entry in kept.Where(entry => entry.HasEnded).OrderByDescending(entry => entry.ResultAt))
        {
            room -= entry.ResultLength;
            answers[entry] = room >= 0 ? ReadAnswer(entry) ?? [] : [];
        }

        var at = 0L;
        Write(JournalRecord.WriteProved(CommandSigner.Service, _clock.Floor(CommandSigner.Service)));
        Write(JournalRecord.WriteProved(CommandSigner.Operator, _clock.Floor(CommandSigner.Operator)));
        var places = new List<(JournalEntry Entry, long At, int Length)>();
        foreach (var entry in kept)
        {
            Write(JournalRecord.WriteBegun(entry));
            if (!answers.TryGetValue(entry, out var answer))
                continue;
            places.Add((entry, at + JournalRecord.HeaderBytes + 1 + CommandId.Size, answer.Length));
            Write(JournalRecord.WriteEnded(entry.Id, answer));
        }

        RandomAccess.FlushToDisk(file);
        foreach (var (entry, place, length) in places)
        {
            entry.ResultAt = place;
            entry.ResultLength = length;
        }

        _entries.Clear();
        foreach (var entry in kept)
            _entries[entry.Id] = entry;
        _length = at;

        void Write(byte[] record)
        {
            RandomAccess.Write(file, record, at);
            at += record.Length;
        }
    }
}
