using Microsoft.Win32.SafeHandles;
using Streams.AgentLink.Retention;

namespace Streams.AgentLink.Spool;

/// <summary>
/// One lane in one file: <see cref="SegmentHeader"/>, then records (<see cref="RecordHeader"/> and batch) for n = 0, 1, 2 ... without
/// gap. Batches stay until the whole file goes, so that the server may go back below its own watermark. In memory there is one position
/// and no index: a lane is read from front to back, and going back is rare enough to find the place again record by record. Guarded by
/// the lane table's lock.
/// <para>Reading never fails for damage: what cannot be read back is answered with a tombstone of cause spool_corrupt under the same
/// n.</para>
/// </summary>
internal sealed partial class Segment : ILaneLog
{
    private readonly string _path;
    private readonly SpoolCounters _counters;
    private readonly uint _salt;
    private readonly bool _readOnly;
    private SafeFileHandle? _handle;
    private long _tail;
    private SegmentHeader.Flags _flags;
    private uint _committed;
    private uint _signed;
    private bool _markDirty;

    private Segment(string path, SegmentName name, SpoolCounters counters, bool readOnly)
    {
        _path = path;
        _counters = counters;
        _salt = name.Salt();
        _readOnly = readOnly;
        Name = name;
    }

    internal SegmentName Name { get; }

    /// <summary>Milliseconds since 1970.</summary>
    internal long Created { get; private set; }

    public uint First => 0;

    public uint Next { get; private set; }

    /// <summary>Bytes of the file.</summary>
    public long Bytes => _tail;

    public bool OnDisk => true;

    /// <summary>What the server had committed when the mark was written last.</summary>
    internal uint Committed => _committed;

    /// <summary>Batches from n = 0 on that signed checkpoints cover, as far as the mark knew.</summary>
    internal uint Signed => _signed;

    internal bool Sealed => (_flags & SegmentHeader.Flags.Sealed) != 0;

    /// <summary>Nothing but tombstones: evicting it again gains nothing.</summary>
    internal bool Evicted => (_flags & SegmentHeader.Flags.Tombstones) != 0;

    /// <summary>Something was written since the last sync.</summary>
    internal bool Dirty { get; private set; }

    /// <summary>Makes the file of a new lane.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal static Segment Create(string directory, SegmentName name, SpoolCounters counters, long created)
    {
        var segment = new Segment(Path.Combine(directory, name.FileName), name, counters, readOnly: false) { Created = created };
        segment._handle = File.OpenHandle(segment._path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            Span<byte> header = stackalloc byte[SegmentHeader.Size];
            SegmentHeader.WriteFixed(header, name, created);
            SegmentHeader.WriteMark(header[SegmentHeader.FixedSize..], default, 0, 0);
            RandomAccess.Write(segment._handle, header, 0);
        }
        catch (IOException)
        {
            segment.Delete();
            throw;
        }

        segment._tail = SegmentHeader.Size;
        segment.Dirty = true;
        return segment;
    }

    /// <summary>Opens a file that is there and finds its end: a record that was cut off is not part of it.</summary>
    /// <returns>Null for a file of a newer build.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static Segment? Open(string path, SegmentName name, SpoolCounters counters, bool readOnly)
    {
        var segment = new Segment(path, name, counters, readOnly);
        segment._handle = segment.OpenFile();
        Span<byte> header = stackalloc byte[SegmentHeader.Size];
        var read = RandomAccess.Read(segment._handle, header, 0);
        segment.Created = SegmentHeader.ReadFixed(header[..read], out var newer)
            ?? new DateTimeOffset(File.GetLastWriteTimeUtc(path)).ToUnixTimeMilliseconds();
        if (newer)
        {
            segment.Dispose();
            return null;
        }

        (segment._flags, segment._committed, segment._signed) = read == SegmentHeader.Size
            ? SegmentHeader.ReadMark(header[SegmentHeader.FixedSize..]) : default;
        segment.FindEnd();
        segment._committed = Math.Min(segment._committed, segment.Next);
        segment._signed = Math.Min(segment._signed, segment.Next);
        segment.CloseFile();
        return segment;
    }

    public bool TryAppend(Span<byte> record)
    {
        try
        {
            RecordHeader.Write(record, Next, _salt);
            RandomAccess.Write(_handle ??= OpenFile(), record, _tail);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _counters.Failed($"{_path}: {exception.Message}");
            CutTail();
            return false;
        }

        _tail += record.Length;
        Next++;
        Dirty = true;
        return true;
    }

    public void Commit(uint committed)
    {
        if (committed != _committed)
        {
            _committed = committed;
            _markDirty = true;
        }
    }

    internal void MarkSigned(uint signed)
    {
        _markDirty |= signed != _signed;
        _signed = signed;
    }

    /// <summary>No batch will be added.</summary>
    internal void Seal()
    {
        _markDirty |= !Sealed;
        _flags |= SegmentHeader.Flags.Sealed;
    }

    /// <summary>Writes the mark when it changed and gives the file that needs a sync, if any. A mark that is lost costs sending
    /// again.</summary>
    internal SafeFileHandle? TakeDirty()
    {
        if (_markDirty)
        {
            _markDirty = false;
            WriteMark();
        }

        var dirty = Dirty;
        Dirty = false;
        return dirty ? _handle : null;
    }

    /// <summary>Gives the descriptor back; the next use opens the file again.</summary>
    internal void CloseFile()
    {
        if (!Dirty)
        {
            _handle?.Dispose();
            _handle = null;
        }
    }

    /// <summary>Removes the file.</summary>
    internal void Delete()
    {
        Dispose();
        TryDelete(_path);
    }

    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
    }

    private void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A lane that stays is drained again by the next process, which only costs duplicates.
            _counters.Failed($"{path}: {exception.Message}");
        }
    }

    private SafeFileHandle OpenFile() => File.OpenHandle(
        _path, FileMode.Open, _readOnly ? FileAccess.Read : FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private void WriteMark()
    {
        Span<byte> mark = stackalloc byte[SegmentHeader.MarkSize];
        SegmentHeader.WriteMark(mark, _flags, _committed, _signed);
        try
        {
            RandomAccess.Write(_handle ??= OpenFile(), mark, SegmentHeader.FixedSize);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _counters.Failed($"{_path}: {exception.Message}");
        }
    }

    /// <summary>Takes back what a refused write left behind, so that the space is free again.</summary>
    private void CutTail()
    {
        try
        {
            if (_handle is not null)
            {
                RandomAccess.SetLength(_handle, _tail);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next append writes over it, and a reader stops before it.
            _counters.Failed($"{_path}: {exception.Message}");
        }
    }
}
