using System.Globalization;
using System.Text;

namespace Streams.Local.Servers;

/// <summary>The text of nats.conf. It holds public keys only, but says what is stored where, so the file is 0600 too.</summary>
internal static class NatsConfiguration
{
    public static string Write(NatsServerOptions options, Credentials credentials, long maxFileStore)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $$"""
            # Written by Streams at every start; edits are lost.
            server_name: "streams"
            listen: "127.0.0.1:{{options.Port}}"
            # 1 MB: a message is at most 256 KiB, and headers count.
            max_payload: 1048576
            # An unauthenticated connection has five seconds; there is no user without a key.
            authorization {
              timeout: 5
              users: [

            """);
        foreach (var role in Enum.GetValues<NatsRole>())
            AppendUser(text, credentials.NatsPublicKey(role), NatsPermissions.For(role, options.Partitions));
        text.Append(CultureInfo.InvariantCulture, $$"""
              ]
            }
            jetstream {
              store_dir: "{{Path.Combine(options.Directory, "jetstream")}}"
              max_memory_store: 16777216
              max_file_store: {{maxFileStore}}
            }

            """);
        return text.ToString();
    }

    private static void AppendUser(StringBuilder text, string publicKey, NatsPermissions permissions)
    {
        text.Append(CultureInfo.InvariantCulture, $"    {{ nkey: {publicKey}, permissions: {{\n");
        text.Append(CultureInfo.InvariantCulture, $"        publish: {{ allow: {List(permissions.Publish)} }},\n");
        text.Append(CultureInfo.InvariantCulture, $"        subscribe: {{ allow: {List(permissions.Subscribe)} }}");
        text.Append(" } }\n");
    }

    private static string List(IReadOnlyList<string> subjects) => "[" + string.Join(", ", subjects.Select(subject => $"\"{subject}\""))
        + "]";
}
