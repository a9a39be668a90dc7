using System.Text;
using System.Text.Json;

namespace Streams.Agent.Configuration;

/// <summary>
/// Reads agent.json token by token against <see cref="SettingTable"/>: comments and trailing commas are allowed, an unknown or repeated
/// key is refused by its full name and line. A reader over the table instead of a generated serializer: it names keys in our words and
/// leaves the serializer's metadata out of the binary.
/// </summary>
internal static class ConfigurationReader
{
    private const int MaximumFileBytes = 1 << 20;

    /// <summary>Reads a file.</summary>
    /// <exception cref="ConfigurationException">The file is not there, not readable, not JSON, or has an unknown key or a value of the wrong kind.</exception>
    public static AgentConfiguration ReadFile(string path)
    {
        byte[] bytes;
        try
        {
            if (new FileInfo(path).Length > MaximumFileBytes)
                throw new ConfigurationException($"{path} is larger than {MaximumFileBytes} bytes; name the agent's configuration file with --config");
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var why = e is FileNotFoundException or DirectoryNotFoundException ? "does not exist" : "cannot be read";
            throw new ConfigurationException($"configuration file {path} {why}; name one with --config FILE (see docs/reference/agent-configuration.md)");
        }

        var configuration = Read(bytes, path);
        configuration.Source = path;
        return configuration;
    }

    /// <summary>Reads UTF-8 JSON; <paramref name="path"/> is only for messages.</summary>
    /// <exception cref="ConfigurationException">See <see cref="ReadFile"/>.</exception>
    public static AgentConfiguration Read(ReadOnlySpan<byte> utf8, string path)
    {
        var configuration = new AgentConfiguration();
        var options = new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 8 };
        var reader = new Utf8JsonReader(utf8.StartsWith(Encoding.UTF8.Preamble) ? utf8[3..] : utf8, options);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new ConfigurationException($"{path} is not a JSON object; see docs/reference/agent-configuration.md");
            ReadObject(configuration, ref reader, "", path, utf8, []);
            while (reader.Read())
            {
            }
        }
        catch (JsonException e)
        {
            throw new ConfigurationException($"{path} line {(e.LineNumber ?? 0) + 1} is not valid JSON; mend the file (comments and trailing commas are allowed)");
        }

        return configuration;
    }

    private static void ReadObject(
        AgentConfiguration configuration,
        ref Utf8JsonReader reader,
        string prefix,
        string path,
        ReadOnlySpan<byte> utf8,
        HashSet<string> seen)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = prefix + reader.GetString();
            var line = Line(utf8, reader.TokenStartIndex);
            if (!seen.Add(name))
                throw new ConfigurationException($"{path} line {line}: {name} is given twice; keep one");
            reader.Read();
            var setting = SettingTable.Find(name);
            if (setting is not null)
            {
                if (setting.SetJson(configuration, ref reader) is { } wrong)
                    throw new ConfigurationException($"{path} line {line}: {name} {wrong}; allowed is {setting.Allowed}");
            }
            else if (reader.TokenType == JsonTokenType.StartObject && IsSection(name))
            {
                ReadObject(configuration, ref reader, name + ".", path, utf8, seen);
            }
            else
            {
                throw new ConfigurationException($"{path} line {line}: unknown key {name}; remove it or see docs/reference/agent-configuration.md");
            }
        }
    }

    private static bool IsSection(string name)
    {
        foreach (var setting in SettingTable.All)
        {
            if (setting.Name.Length > name.Length && setting.Name[name.Length] == '.' && setting.Name.StartsWith(name, StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static int Line(ReadOnlySpan<byte> utf8, long index) => utf8[..(int)Math.Min(index, utf8.Length)].Count((byte)'\n') + 1;
}
