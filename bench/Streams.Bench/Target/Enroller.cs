using System.Globalization;
using Streams.AgentLink;
using Streams.AgentLink.Tls;
using Streams.Bench.Running;
using Streams.Control.Identity;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.Bench.Target;

/// <summary>Gets identities from a deployment as hosts do: by a token, with keys made here.</summary>
internal static class Enroller
{
    /// <summary>Marks what is the bench's in every list of hosts.</summary>
    private const string HostName = "streams-bench";

    /// <returns>The ids that the deployment gave; their keys are DIRECTORY/ID.key. Those that came before a failure are in <paramref name="taken"/>.</returns>
    /// <exception cref="BenchFailure">It gave none.</exception>
    public static async Task EnrolAsync(TargetOptions target, int count, string directory, List<string> taken, CancellationToken stop)
    {
        var token = Token(target);
        Directory.CreateDirectory(directory, KeyFile.RequiredMode | UnixFileMode.UserExecute);
        var options = new AgentLinkOptions
        {
            Gateway = target.Gateway,
            Tls = new TlsClient(target.AuthorityFile),
            Roots = new FleetRoots(token.Root.ToArray()),
            HostName = HostName,
            AgentVersion = "bench",
        };
        for (var i = 0; i < count; i++)
        {
            using var key = SigningKey.Generate();
            var id = await AskAsync(options, token, key, stop);
            taken.Add(id);
            await using var file = new FileStream(Path.Combine(directory, id + ".key"), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = KeyFile.RequiredMode });
            await file.WriteAsync(KeyFile.Format(KeyFileKind.Agent, key), stop);
        }
    }

    public static EnrolmentToken Token(TargetOptions target) =>
        EnrolmentToken.TryParse(File.ReadAllText(target.TokenFile).AsSpan().Trim(), out var token)
            ? token : throw new BenchFailure($"--token-file {target.TokenFile}: not a token of `streams enroll create` (id.secret.root)");

    private static async Task<string> AskAsync(AgentLinkOptions options, EnrolmentToken token, SigningKey key, CancellationToken stop)
    {
        var request = new RegistryRequest(Enroll: EnrolRequest.Create(token, HostName, key.PublicKey));
        var now = (ulong)((DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        var message = new ControlMessage(MessageType.Request, Channels.Registry, "enroll", "core", now, IdentityJson.Write(request, IdentityJson.Default.RegistryRequest));
        var result = await EnrolmentLink.AskAsync(options, key, message, stop: stop);
        if (result.Answer is not { } said)
        {
            throw new BenchFailure($"{options.Gateway.Authority} enrols nobody: {result.Detail}");
        }

        return !IdentityJson.TryRead(said.Payload.Span, IdentityJson.Default.EnrolAnswer, out var answer) || !answer.IsValid
            ? throw new BenchFailure($"{options.Gateway.Authority}: its answer cannot be read; it is of another version")
            : answer.Refused != RegistryRefusal.None ? throw new BenchFailure(string.Create(CultureInfo.InvariantCulture, $"{options.Gateway.Authority} enrols nobody: {answer.Refused}"))
            : answer.AgentId;
    }
}
