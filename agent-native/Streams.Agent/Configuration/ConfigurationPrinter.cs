using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Streams.Agent.Configuration;

/// <summary>Writes a configuration as the JSON that <see cref="ConfigurationReader"/> reads back to the same values.</summary>
internal static class ConfigurationPrinter
{
    public static string Print(AgentConfiguration configuration)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            var section = "";
            foreach (var setting in SettingTable.All)
            {
                var dot = setting.Name.IndexOf('.');
                var next = dot < 0 ? "" : setting.Name[..dot];
                if (next != section)
                {
                    if (section.Length > 0)
                        writer.WriteEndObject();
                    if (next.Length > 0)
                        writer.WriteStartObject(next);
                    section = next;
                }

                writer.WritePropertyName(setting.Name[(dot + 1)..]);
                setting.Write(configuration, writer);
            }

            if (section.Length > 0)
                writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
