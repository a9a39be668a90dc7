using System.Text.Json.Serialization.Metadata;
using Streams.Control.Identity;

namespace Streams.Fuzz.Targets;

/// <summary>The JSON documents of <c>agent.registry</c> and of the questions to the Registry.</summary>
internal sealed class DocumentFuzz : FuzzTarget
{
    /// <summary>RFC 8032 section 7.1, test 1: a point that may be a key.</summary>
    private const string AnyKey = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    public override string Name => "document";

    public override IEnumerable<byte[]> Seeds()
    {
        var json = IdentityJson.Default;
        var enrol = new EnrolRequest("0011223344556677", new string('A', 86), "host-1");
        yield return IdentityJson.Write(enrol, json.EnrolRequest);
        yield return IdentityJson.Write(new EnrolAnswer(RegistryRefusal.None, "agent-1", new string('A', 43), 1), json.EnrolAnswer);
        yield return IdentityJson.Write(new RotateRequest(new string('A', 43), new string('A', 86), new string('A', 86)), json.RotateRequest);
        yield return IdentityJson.Write(new RegistryCall("gateway-1", "::1", "", new string('A', 43), enrol), json.RegistryCall);
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "\\ud800", "\"token\"", "\"signature\"", "\"host\"", "\"public_key\"", "\"serial\"", "\"refused\"", "null", "{}", "[]", "\\u0000", "1e999", "-0", ",\"token\":\"\"" }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var json = IdentityJson.Default;
        var outcome = Try(input, json.EnrolRequest, Enrol)
            + (4 * Try(input, json.EnrolAnswer, answer => answer.IsValid ? 1 : 0))
            + (16 * Try(input, json.RotateRequest, rotate => (int)rotate.Judge("agent-1", new byte[32]) == 0 ? 1 : 0))
            + (64 * Try(input, json.RotateAnswer, _ => 0))
            + (256 * Try(input, json.RegistryCall, _ => 0))
            + (1024 * Try(input, json.RegistryNotice, _ => 0));
        return outcome;
    }

    private static int Enrol(EnrolRequest request)
    {
        Must(!request.IsSignedBy(AnyKey, AnyKey), "bytes without the key are a signature");
        return request.IsValid ? 1 : 0;
    }

    private static int Try<T>(ReadOnlySpan<byte> input, JsonTypeInfo<T> type, Func<T, int> judge)
        where T : class
    {
        if (!IdentityJson.TryRead(input, type, out var document))
        {
            return 0;
        }

        var written = IdentityJson.Write(document, type);
        Must(IdentityJson.TryRead(written, type, out var again) && again.Equals(document), $"{typeof(T).Name} does not survive being written");
        return 2 + judge(document);
    }
}
