using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Streams.Agent.CommandLine;
using Streams.Agent.Configuration;
using Streams.Agent.Modules.Comm;
using Streams.AgentLink.Spool;
using Streams.Schema;

namespace Streams.Agent.Status;

/// <summary>`streams-agent spool`: what waits on the disk. Reads the files themselves, so it works whether or not an agent runs.</summary>
internal static class SpoolCommand
{
    /// <returns>0.</returns>
    /// <exception cref="AgentException">The folder cannot be read.</exception>
    public static int Run(AgentArguments arguments, TextWriter output)
    {
        var configuration = ConfigurationLoader.Load(arguments);
        ConfigurationValidator.Require(configuration, toConnect: false);
        var folder = CommModule.SpoolFolder(configuration.Resolve(configuration.StateDirectory));
        var document = Document(folder, (long)configuration.SpoolMebibytes << 20);
        if (arguments.Json)
            output.WriteLine(Encoding.UTF8.GetString(document.Span));
        else
            StatusText.Write(document, output);
        return 0;
    }

    private static ReadOnlyMemory<byte> Document(string folder, long capacity)
    {
        IReadOnlyList<SpooledSegment> segments;
        try
        {
            segments = SpoolInventory.Read(folder);
        }
        catch (SpoolException e)
        {
            throw new AgentException(e.Message);
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("directory", folder);
            writer.WriteNumber("capacity_bytes", capacity);
            writer.WriteStartArray("classes");
            for (var priority = PriorityClass.Control; priority <= PriorityClass.Bulk; priority++)
                WriteClass(writer, priority, segments, SpoolInventory.QuotaOf(priority, capacity));
            writer.WriteEndArray();
            writer.WriteStartArray("segments");
            foreach (var segment in segments)
                WriteSegment(writer, segment);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static void WriteClass(Utf8JsonWriter writer, PriorityClass priority, IReadOnlyList<SpooledSegment> segments, long quota)
    {
        var (count, batches, committed, bytes) = (0, 0L, 0L, 0L);
        DateTimeOffset? oldest = null;
        foreach (var segment in segments)
        {
            if (segment.Priority != priority)
                continue;
            count++;
            batches += segment.Batches;
            committed += segment.Committed;
            bytes += segment.Bytes;
            oldest ??= segment.Created;
        }

        writer.WriteStartObject();
        writer.WriteString("class", SpoolInventory.NameOf(priority));
        writer.WriteNumber("segments", count);
        writer.WriteNumber("batches", batches);
        writer.WriteNumber("committed", committed);
        writer.WriteNumber("bytes", bytes);
        writer.WriteNumber("quota_bytes", quota);
        writer.WriteNumber("fill_percent", Math.Round(100.0 * bytes / quota, 1));
        WriteTime(writer, oldest);
        writer.WriteEndObject();
    }

    private static void WriteSegment(Utf8JsonWriter writer, SpooledSegment segment)
    {
        writer.WriteStartObject();
        writer.WriteString("epoch", segment.Epoch.ToString());
        writer.WriteNumber("lane", segment.Lane);
        writer.WriteString("class", SpoolInventory.NameOf(segment.Priority));
        writer.WriteString("state", segment.Evicted ? "evicted" : segment.Sealed ? "sealed" : "open");
        writer.WriteNumber("batches", segment.Batches);
        writer.WriteNumber("committed", segment.Committed);
        writer.WriteNumber("bytes", segment.Bytes);
        WriteTime(writer, segment.Created);
        writer.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter writer, DateTimeOffset? oldest)
    {
        if (oldest is { } time)
            writer.WriteString("oldest", time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        else
            writer.WriteNull("oldest");
    }
}
