using System.Buffers.Text;
using System.Text.Json.Serialization.Metadata;
using Streams.Control.Identity;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.Gateway.Registration;

/// <summary>
/// Channel agent.registry: hands an agent's request to the Registry with what the gateway knows of the peer, the proved key and the address,
/// and its answer back. The gateway itself decides nothing: it cannot write identities.
/// </summary>
internal sealed class RegistryMessages(GatewayCore core, ServiceCaller registry) : IAgentMessages
{
    /// <summary>Shorter than a session of mode enrol lives, so that the agent is told that there was no answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public byte Channel => Wire.Channels.Registry;

    public WireError Take(AgentSession session, ControlMessage message)
    {
        if (!IdentityJson.TryRead(message.Payload.Span, IdentityJson.Default.RegistryRequest, out var request) || !request.IsValid)
        {
            return WireError.Malformed;
        }

        if (session.IsEnrolling != request.Enroll is not null)
        {
            return WireError.NotAllowed;
        }

        var call = new RegistryCall(
            core.Identity.Certificate.Name, session.Remote, session.IsEnrolling ? "" : session.Route.AgentId,
            Base64Url.EncodeToString(session.AgentKey.Span), request.Enroll, request.Rotate);
        _ = session.IsEnrolling
            ? AskAsync(session, message.Id, "enroll", call, EnrolAnswer.Refuse(RegistryRefusal.Unavailable), IdentityJson.Default.EnrolAnswer, answer => answer.Refused)
            : AskAsync(session, message.Id, "rotate", call, RotateAnswer.Refuse(RegistryRefusal.Unavailable), IdentityJson.Default.RotateAnswer, answer => answer.Refused);
        return WireError.None;
    }

    private async Task AskAsync<T>(AgentSession session, string id, string action, RegistryCall call, T otherwise, JsonTypeInfo<T> type, Func<T, RegistryRefusal> refusal)
        where T : class
    {
        var answer = await registry.AskAsync(
            Subjects.Registry(action), IdentityJson.Write(call, IdentityJson.Default.RegistryCall), Patience).ConfigureAwait(false);
        // Read and written again: nothing reaches an agent that is not such a document.
        if (!IdentityJson.TryRead(answer, type, out var document))
        {
            core.Metrics.Error("registry");
            document = otherwise;
        }

        if (refusal(document) is var refused and not (RegistryRefusal.None or RegistryRefusal.Unavailable))
        {
            core.Records.Refused(refused, call.AgentId, session.Remote);
        }

        session.TrySend(new ControlMessage(
            MessageType.Response, Channel, id, "core", (ulong)core.UnixMicroseconds(), IdentityJson.Write(document, type)));
    }
}
