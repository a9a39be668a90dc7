using System.Runtime.InteropServices;
using System.Text;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

/// <summary>Keeps everything and checks at each call that numbers of a (class, cpu) are without gap or repetition.</summary>
internal sealed class CollectingSink : IRecordSink
{
    private readonly Dictionary<(ushort Class, ushort Cpu), ulong> _last = [];

    public List<byte[]> Records { get; } = [];

    public List<LostRange> Lost { get; } = [];

    public Dictionary<(ushort Class, ushort Cpu), ulong> Stored { get; } = [];

    public void OnRecord(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        Advance(header.Class, header.Cpu, header.Seq, header.Seq);
        Stored[(header.Class, header.Cpu)] = Stored.GetValueOrDefault((header.Class, header.Cpu)) + 1;
        Records.Add(record.ToArray());
    }

    public void OnLost(in LostRange lost)
    {
        Assert.Equal(lost.Count, lost.Causes.Total + lost.Restart + lost.Unknown);
        Advance(lost.Class, lost.Cpu, lost.First, lost.Last);
        Lost.Add(lost);
    }

    public ulong LostOf(ushort classId, int cpu) =>
        Lost.Where(range => range.Class == classId && range.Cpu == cpu).Aggregate(0ul, (sum, range) => sum + range.Count);

    public IEnumerable<T> Of<T>(ushort classId)
        where T : unmanaged =>
        Records.Where(record => MemoryMarshal.AsRef<RecordHeader>(record).Class == classId).Select(record => MemoryMarshal.Read<T>(record));

    public IEnumerable<(ProcessExecRecord Fixed, string Filename, byte[] Argv)> Execs()
    {
        foreach (var record in Records)
        {
            if (MemoryMarshal.AsRef<RecordHeader>(record).Class == RecordClass.ProcessExec)
            {
                Assert.True(ProcessExecView.TryRead(record, out var view));
                var item = (view.Fixed, Encoding.UTF8.GetString(view.Filename), view.Argv.ToArray());
                yield return item;
            }
        }
    }

    public static string Text(ReadOnlySpan<byte> comm)
    {
        var end = comm.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? comm : comm[..end]);
    }

    private void Advance(ushort classId, ushort cpu, ulong first, ulong last)
    {
        Assert.Equal(_last.GetValueOrDefault((classId, cpu)) + 1, first);
        Assert.True(last >= first);
        _last[(classId, cpu)] = last;
    }
}
