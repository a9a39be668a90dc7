using System.Buffers.Text;
using Streams.Agent.Configuration;
using Streams.Agent.Modules.Core.Identity;
using Streams.AgentLink.Tests.Gateway;
using Streams.Control.Identity;
using Streams.Testing;
using Streams.Wire;

namespace Streams.Agent.Tests.Identity;

/// <summary>Enrolment against a gateway that a test scripts: the same key asks until it has its answer, and nothing is kept of a refusal.</summary>
public sealed class EnrolCommandTests : IDisposable
{
    private readonly TempDirectory _folder = new("enrol");
    private readonly ScriptedGateway _gateway = new();
    private readonly EnrolmentToken _token;

    public EnrolCommandTests() => _token = EnrolmentToken.Create(_gateway.Root.PublicKey);

    public void Dispose()
    {
        _gateway.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_crash_at_any_point_is_mended_by_doing_it_again()
    {
        // Killed after the key was made and before anything was asked.
        using (new AgentKeyFiles(_folder.File("agent.key")).ReadOrMake())
        {
        }

        // The connection breaks after the request has left: the server may have used the token up by then.
        var first = RunAsync();
        byte[] key;
        await using (var peer = await _gateway.AcceptSessionAsync())
        {
            key = peer.Auth!.PublicKey.ToArray();
            await peer.ReceiveControlAsync();
            peer.Cut();
        }

        await Assert.ThrowsAsync<AgentException>(() => first);
        Assert.Null(EnrolledIdentity.TryRead(_folder.Path));

        // The answer comes: it is the same key that asks, and it is let in.
        var second = RunAsync();
        await using (var peer = await _gateway.AcceptSessionAsync())
        {
            Assert.Equal(key, peer.Auth!.PublicKey.ToArray());
            await AnswerAsync(peer, new EnrolAnswer(RegistryRefusal.None, "web-1", Base64Url.EncodeToString(key), 1));
        }

        Assert.Equal("web-1: enrolled\n", await second);
        var identity = EnrolledIdentity.TryRead(_folder.Path)!;
        Assert.Equal(("web-1", Base64Url.EncodeToString(_gateway.Root.PublicKey)), (identity.AgentId, Assert.Single(identity.FleetRoots)));

        // Done: nobody is asked.
        Assert.Equal("web-1: enrolled already\n", await RunAsync());
        var configuration = Configuration();
        EnrolledIdentity.Complete(configuration);
        Assert.Empty(ConfigurationValidator.Validate(configuration, toConnect: true));
    }

    [Theory]
    [InlineData(RegistryRefusal.TokenUsed, "streams enroll create")]
    [InlineData(RegistryRefusal.AgentExists, "--replace")]
    [InlineData(RegistryRefusal.WrongNetwork, "networks")]
    public async Task A_refusal_says_what_to_do_and_leaves_no_identity(RegistryRefusal refusal, string remedy)
    {
        var run = RunAsync();
        await using (var peer = await _gateway.AcceptSessionAsync())
        {
            await AnswerAsync(peer, EnrolAnswer.Refuse(refusal));
        }

        var failure = await Assert.ThrowsAsync<AgentException>(() => run);
        Assert.Contains(remedy, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Base64Url.EncodeToString(_token.Secret), failure.Message, StringComparison.Ordinal);
        Assert.Null(EnrolledIdentity.TryRead(_folder.Path));
    }

    [Fact]
    public async Task An_answer_for_another_key_is_none()
    {
        var run = RunAsync();
        await using (var peer = await _gateway.AcceptSessionAsync())
        {
            await AnswerAsync(peer, new EnrolAnswer(RegistryRefusal.None, "web-1", Base64Url.EncodeToString(_gateway.Root.PublicKey), 1));
        }

        await Assert.ThrowsAsync<AgentException>(() => run);
        Assert.Null(EnrolledIdentity.TryRead(_folder.Path));
    }

    [Fact]
    public async Task The_secret_is_shown_to_no_gateway_that_the_tokens_root_has_not_certified()
    {
        using var stranger = new ScriptedGateway();
        var run = RunAsync(stranger.Uri);
        await using var peer = await stranger.AcceptAsync();
        using var handshake = await peer.HelloAsync();
        Assert.Contains("UnknownRoot", (await Assert.ThrowsAsync<AgentException>(() => run)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<Exception>(() => peer.ReceiveMessageAsync());
    }

    private AgentConfiguration Configuration(Uri? gateway = null) => new()
    {
        Gateway = (gateway ?? _gateway.Uri).ToString(),
        KeyFile = _folder.File("agent.key"),
        StateDirectory = _folder.Path,
        Token = _token.Format(),
    };

    private Task<string> RunAsync(Uri? gateway = null) => Task.Run(() =>
    {
        using var output = new StringWriter();
        Assert.Equal(0, EnrolCommand.Run(Configuration(gateway), output));
        return output.ToString();
    });

    private static async Task AnswerAsync(ScriptedPeer peer, EnrolAnswer answer)
    {
        var request = await peer.ReceiveControlAsync();
        Assert.True(IdentityJson.TryRead(request.Payload.Span, IdentityJson.Default.RegistryRequest, out var document) && document.Enroll is not null);
        await peer.SendAsync(request with
        {
            Type = MessageType.Response,
            Payload = IdentityJson.Write(answer, IdentityJson.Default.EnrolAnswer),
        });
    }
}
