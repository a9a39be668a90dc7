using System.Buffers.Text;
using Streams.Control.Identity;

namespace Streams.Agent.Tests.Identity;

/// <summary>One agent's identity as the Registry changes it (KeyBook): by what the agent signed, in the order in which gateways hand it on.</summary>
internal sealed class RegistryModel(string agentId, byte[] key)
{
    internal byte[] Key { get; private set; } = key;

    internal byte[]? Previous { get; private set; }

    internal bool Knows(byte[] key) => Key.SequenceEqual(key) || Previous?.SequenceEqual(key) is true;

    /// <param name="session">The key of the session, which only the gateway says.</param>
    /// <param name="request">What the agent signed.</param>
    internal RotateAnswer Take(byte[] session, RotateRequest request)
    {
        var next = Base64Url.DecodeFromChars(request.PublicKey);
        if (request.Judge(agentId, session) is not RegistryRefusal.None and var refusal)
        {
            return RotateAnswer.Refuse(refusal);
        }

        if (!Key.SequenceEqual(next) && Knows(session))
        {
            (Key, Previous) = (next, session);
        }

        return Key.SequenceEqual(next) ? new RotateAnswer(RegistryRefusal.None, request.PublicKey, 2) : RotateAnswer.Refuse(RegistryRefusal.UnknownAgent);
    }

    /// <summary>The notice <see cref="NoticeKind.NewKeyUsed"/>, true or not.</summary>
    internal void Used(byte[] key)
    {
        if (Key.SequenceEqual(key))
        {
            Previous = null;
        }
    }
}
