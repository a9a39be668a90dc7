using System.Buffers.Text;
using Streams.Agent.Configuration;
using Streams.Agent.Modules.Comm;
using Streams.AgentLink;
using Streams.Control.Identity;
using Streams.Wire;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Agent.Modules.Core.Identity;

/// <summary>
/// Gets this host an identity by a token: the key is made here, the gateway's certificate is judged by the root in the token before the
/// secret leaves, and the same key gets the same answer again. So whatever a crash left is mended by doing it again.
/// </summary>
internal static class EnrolCommand
{
    public const string TokenVariable = "STREAMS_ENROLMENT_TOKEN";

    /// <summary>A gateway that is not there yet: images start before their network.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>`streams-agent enroll`: once, and says what came of it.</summary>
    public static int Run(AgentConfiguration configuration, TextWriter output)
    {
        var state = configuration.Resolve(configuration.StateDirectory);
        using var directory = StateDirectory.Open(state);
        var token = configuration.Token.Length == 0 ? null : Token(configuration);
        if (Enrolled(configuration, state) is { } known && (token is null || token.Id == known.Token))
        {
            output.WriteLine($"{known.AgentId}: enrolled already");
            return 0;
        }

        var (identity, _, problem) = AskAsync(configuration, state, token ?? Token(configuration)).GetAwaiter().GetResult();
        if (identity is null)
            throw new AgentException(problem);
        output.WriteLine($"{identity.AgentId}: enrolled");
        return 0;
    }

    /// <summary>Before `run`: an agent with a token and without an identity enrols first, and waits for a gateway as long as it takes.</summary>
    public static void Before(AgentConfiguration configuration, Action<string> say)
    {
        var state = configuration.Resolve(configuration.StateDirectory);
        if (configuration.AgentId.Length > 0 || configuration.Token.Length == 0 || EnrolledIdentity.TryRead(state) is not null)
            return;
        using var directory = StateDirectory.Open(state);
        var token = Token(configuration);
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var (identity, again, problem) = AskAsync(configuration, state, token).GetAwaiter().GetResult();
            if (identity is not null)
                return;
            if (!again)
                throw new AgentException(problem);
            say(problem);
            Thread.Sleep(pause * (0.5 + Random.Shared.NextDouble() / 2));
        }
    }

    private static EnrolledIdentity? Enrolled(AgentConfiguration configuration, string state)
    {
        if (EnrolledIdentity.TryRead(state) is not { } identity)
            return null;
        // A state without its key, e.g. from an image that was made of an enrolled host: another agent.
        using var key = File.Exists(configuration.Resolve(configuration.KeyFile)) ? new AgentKeyFiles(configuration.Resolve(configuration.KeyFile)).Read() : null;
        return key is null ? null : identity;
    }

    private static EnrolmentToken Token(AgentConfiguration configuration) =>
        EnrolmentToken.TryParse(configuration.Token.AsSpan().Trim(), out var token) ? token
            : throw new AgentException(configuration.Token.Length == 0
                ? $"no token to enrol with; give it with --token, in the configuration, or in {TokenVariable} (`streams enroll create` makes one)"
                : "the token is not one that `streams enroll create` has made (id.secret.root); copy it whole");

    private static async Task<(EnrolledIdentity? Identity, bool Again, string Problem)> AskAsync(
        AgentConfiguration configuration, string state, EnrolmentToken token)
    {
        using var key = new AgentKeyFiles(configuration.Resolve(configuration.KeyFile)).ReadOrMake();
        var options = LinkSettings.Of(configuration, new FleetRoots(token.Root.ToArray()));
        var request = new RegistryRequest(Enroll: EnrolRequest.Create(token, options.HostName, key.PublicKey));
        var message = new ControlMessage(
            MessageType.Request, Channels.Registry, "enroll", "core", (ulong)((DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / 10),
            IdentityJson.Write(request, IdentityJson.Default.RegistryRequest));
        var result = new EnrolmentResult(null, WireError.None, "no gateway");
        foreach (var gateway in new[] { options.Gateway }.Concat(options.OtherGateways))
        {
            result = await EnrolmentLink.AskAsync(options with { Gateway = gateway, OtherGateways = [] }, key, message).ConfigureAwait(false);
            if (result.Answer is not null)
                break;
        }

        if (result.Answer is null)
            return (null, true, $"not enrolled: {result.Detail}; is {options.Gateway.Authority} a gateway of the fleet that made the token?");
        var text = Base64Url.EncodeToString(key.PublicKey);
        if (!IdentityJson.TryRead(result.Answer.Payload.Span, IdentityJson.Default.EnrolAnswer, out var answer) || !answer.IsValid
            || (answer.Refused == RegistryRefusal.None && answer.PublicKey != text))
            return (null, true, "not enrolled: the answer cannot be read; is the gateway of the same version?");
        if (answer.Refused != RegistryRefusal.None)
            return (null, answer.Refused == RegistryRefusal.Unavailable, $"not enrolled: {answer.Refused}; {Remedy(answer.Refused)}");
        var identity = new EnrolledIdentity(answer.AgentId, text, [Base64Url.EncodeToString(token.Root)], token.Id);
        identity.Write(state);
        return (identity, false, "");
    }

    private static string Remedy(RegistryRefusal refusal) => refusal switch
    {
        RegistryRefusal.TokenExpired or RegistryRefusal.TokenRevoked or RegistryRefusal.TokenUsed or RegistryRefusal.UnknownToken =>
            "have another token made with `streams enroll create`",
        RegistryRefusal.WrongNetwork => "the token is bound to other networks than this host's",
        RegistryRefusal.AgentExists => "another key has this agent's name; `streams enroll create --agent ID --replace` takes it over",
        RegistryRefusal.AgentRevoked => "the operator has revoked this agent; `streams enroll create --agent ID --replace` lets a new key in",
        RegistryRefusal.Unavailable => "the server's registry does not answer, try again",
        _ => "please report it with `streams-agent doctor --json`",
    };
}
