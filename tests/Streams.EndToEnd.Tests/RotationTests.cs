using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using Streams.Testing;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.EndToEnd.Tests;

/// <summary>Fleet roots, certificates, tokens and quarantine by an operator's commands, under an agent that runs and is touched by nobody.</summary>
public sealed class RotationTests : IDisposable
{
    private const string Agent = "agent-native/Streams.Agent/bin/Release/net10.0/streams-agent.dll";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _directory = new("rotation");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_root_is_replaced_under_a_running_agent_and_commands_follow_it()
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--no-agent");
        string[] settings =
        [
            "--gateway", up.Endpoints.Gateway, "--state-directory", _directory.File("state"), "--key-file", _directory.File("agent.key"),
            "--observability-enabled", "false", "--telemetry-interval-seconds", "1",
        ];
        await AgentAsync(["enroll", "--token", await TokenAsync(up), .. settings]);
        using var agent = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(Repository.Root, Agent), "run", .. settings]))!;
        try
        {
            await Eventually.TrueAsync(() => up.Log("streams-serve").Contains("web-1", StringComparison.Ordinal), "the agent is here", Patience);
            var old = Line(await HostAsync(up, "keys"), "fleet root");
            Assert.Equal("streams: there is no next root; first: streams keys root create", (await RefusedAsync(up, "keys", "root", "promote")).ErrorLine);
            Assert.Equal("streams: no root was promoted; first: streams keys root create, then promote", (await RefusedAsync(up, "keys", "root", "retire")).ErrorLine);

            var next = Line(await HostAsync(up, "keys", "root", "create"), "next fleet root");
            await PinnedAsync($"{old} {next}");
            Assert.Equal(next, Line(await HostAsync(up, "keys", "root", "promote"), "fleet root"));
            await HostAsync(up, "command", "status", "web-1", "--wait");
            await HostAsync(up, "keys", "root", "retire");
            await PinnedAsync(next);
            // Signed under the new root alone, verified by a process that began with the old one.
            Assert.Contains("finished", (await HostAsync(up, "command", "status", "web-1", "--wait", "--json")).Output, StringComparison.Ordinal);
            Assert.Equal("streams: agent web-1 is active already", (await RefusedAsync(up, "agents", "release", "web-1")).ErrorLine);
        }
        finally
        {
            Up.Signal("TERM", agent.Id);
            await agent.WaitForExitAsync().WaitAsync(Patience);
        }
    }

    [Fact]
    public async Task A_certificate_that_ends_soon_is_renewed_while_the_instance_runs_and_further_gateways_get_their_own()
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--no-agent");
        var certificate = Path.Combine(up.Data, "keys", "gateway.cert");
        var first = Serial(await HostAsync(up, "keys"));
        var soon = Serial(await HostAsync(up, "keys", "gateway", "renew", "--days", "1"));
        Assert.True(soon > first);
        var text = await File.ReadAllTextAsync(certificate);
        await Eventually.TrueAsync(async () => await File.ReadAllTextAsync(certificate) != text, "up has the root sign again", Patience);
        var renewed = await HostAsync(up, "keys");
        Assert.True(Serial(renewed) > soon);
        var end = DateTimeOffset.Parse(Line(renewed, "valid").Split(" to ")[1].Replace(" UTC", "Z", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        Assert.InRange(end - DateTimeOffset.UtcNow, TimeSpan.FromDays(89), TimeSpan.FromDays(91));

        var further = await HostAsync(
            up, "keys", "gateway", "issue", "gateway-2", "--key-file", _directory.File("gateway-2.key"), "--certificate-file", _directory.File("gateway-2.cert"));
        Assert.Equal("gateway-2", Line(further, "gateway"));
        Assert.True(Serial(further) > Serial(renewed));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_directory.File("gateway-2.key")));
        foreach (var bad in new[] { new[] { "Gateway_2", "90" }, ["gateway-2", "0"], ["gateway-2", "367"] })
        {
            var refused = await RefusedAsync(
                up, "keys", "gateway", "issue", bad[0], "--days", bad[1], "--key-file", _directory.File("bad.key"), "--certificate-file", _directory.File("bad.cert"));
            Assert.Equal(2, refused.Code);
            Assert.False(File.Exists(_directory.File("bad.cert")), string.Join(' ', bad));
        }

        var person = await HostAsync(
            up, "keys", "operator", "issue", "operator-1", "--days", "30", "--key-file", _directory.File("operator.key"), "--certificate-file", _directory.File("operator.cert"));
        Assert.Equal("operator-1", Line(person, "operator"));
        Assert.True(FleetCertificate.TryParseText(await File.ReadAllTextAsync(_directory.File("operator.cert")), out var signed));
        Assert.True(KeyFile.TryParse("operator.key", await File.ReadAllBytesAsync(_directory.File("operator.key")), KeyFileKind.Operator, out var key, out _));
        using (key)
        {
            Assert.True(signed.PublicKey.SequenceEqual(key!.PublicKey));
        }

        var roots = new FleetRoots(Base64Url.DecodeFromChars(Line(await HostAsync(up, "keys"), "fleet root")));
        Assert.Equal([CertificateUse.Operator], Enum.GetValues<CertificateUse>().Where(use => roots.Verify(signed, use, null) == RefusalReason.None));

        Assert.Contains("first: streams keys gateway renew --new-key", (await RefusedAsync(up, "keys", "revoke", Text(Serial(renewed)))).ErrorLine, StringComparison.Ordinal);
        Assert.Contains("services sign with", (await RefusedAsync(up, "keys", "revoke", Text(SerialOfServices(up)))).ErrorLine, StringComparison.Ordinal);
        await HostAsync(up, "keys", "revoke", Text(Serial(further)));
        Assert.Equal([Serial(further)], Revoked(up));
    }

    [Fact]
    public async Task What_was_revoked_stays_so_when_the_queue_is_lost_until_its_certificate_has_long_ended()
    {
        var data = _directory.File("data");
        ulong[] serials;
        Local.Endpoints endpoints;
        await using (var up = await Up.StartAsync(data, "--no-agent"))
        {
            serials = [await IssueAsync(up, "gateway-2"), await IssueAsync(up, "gateway-3"), await IssueAsync(up, "gateway-4")];
            await HostAsync(up, "keys", "revoke", Text(serials[0]));
            endpoints = up.Endpoints;
            Assert.Equal(0, await up.StopAsync());
        }

        Directory.Delete(Path.Combine(data, "nats"), recursive: true);
        await using (var up = await Up.StartAgainAsync(data, endpoints, "--no-agent"))
        {
            await Eventually.TrueAsync(() => up.Log("streams-serve").Contains("with 1 serials is in it again", StringComparison.Ordinal), "the list is put back", Patience);
            await HostAsync(up, "keys", "revoke", Text(serials[1]));
            Assert.Equal(serials[..2], Revoked(up));
            var file = Path.Combine(data, "keys", "revocations");
            var kept = await File.ReadAllTextAsync(file);
            await File.WriteAllTextAsync(file, "none");
            Assert.Contains("not a signed list of serials", (await RefusedAsync(up, "keys", "revoke", Text(serials[2]))).ErrorLine, StringComparison.Ordinal);
            await File.WriteAllTextAsync(file, kept);

            // The first one's end is moved to 31 days ago.
            var register = Path.Combine(data, "keys", "serials");
            var ended = DateTimeOffset.UtcNow.AddDays(-31).ToUnixTimeSeconds();
            await File.WriteAllLinesAsync(register, (await File.ReadAllLinesAsync(register)).Select(line => line.StartsWith(serials[0] + " ", StringComparison.Ordinal)
                ? string.Create(CultureInfo.InvariantCulture, $"{serials[0]} {ended}") : line));
            await HostAsync(up, "keys", "revoke", Text(serials[2]));
            Assert.Equal(serials[1..], Revoked(up));
            await File.AppendAllTextAsync(register, "x\n");
            Assert.Contains("is not SERIAL or SERIAL SECOND", (await RefusedAsync(up, "keys", "gateway", "renew")).ErrorLine, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_word_about_the_next_root_is_in_a_lost_queue_again_or_no_root_is_promoted()
    {
        var data = _directory.File("data");
        var file = Path.Combine(data, "keys", "succession");
        string next;
        Local.Endpoints endpoints;
        await using (var up = await Up.StartAsync(data, "--no-agent"))
        {
            next = Line(await HostAsync(up, "keys", "root", "create"), "next fleet root");
            endpoints = up.Endpoints;
            Assert.Equal(0, await up.StopAsync());
        }

        // Another root's word, of tomorrow: as if it was lost here too, and the clock set back since.
        var kept = await File.ReadAllTextAsync(file);
        using var other = SigningKey.Generate();
        var tomorrow = DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeSeconds();
        await File.WriteAllTextAsync(file, RootSuccession.Create(other, other.PublicKey, tomorrow).ToText());
        Directory.Delete(Path.Combine(data, "nats"), recursive: true);
        await using (var up = await Up.StartAgainAsync(data, endpoints, "--no-agent"))
        {
            await PutBackAsync(up);
            Assert.Contains("again: streams keys root create", (await RefusedAsync(up, "keys", "root", "promote")).ErrorLine, StringComparison.Ordinal);
            Assert.Equal(next, Line(await HostAsync(up, "keys", "root", "create"), "next fleet root"));
            Assert.True(RootSuccession.TryParseText(await File.ReadAllTextAsync(file), out var said));
            Assert.Equal((ulong)(tomorrow + 1) * 1000, said.Version);
            Assert.Equal(0, await up.StopAsync());
        }

        await File.WriteAllTextAsync(file, kept);
        Directory.Delete(Path.Combine(data, "nats"), recursive: true);
        await using (var up = await Up.StartAgainAsync(data, endpoints, "--no-agent"))
        {
            await PutBackAsync(up);
            Assert.Equal(next, Line(await HostAsync(up, "keys", "root", "promote"), "fleet root"));
        }
    }

    private static Task PutBackAsync(Up up) => Eventually.TrueAsync(
        () => up.Log("streams-serve").Contains("The queue had no statement about the next fleet root", StringComparison.Ordinal), "it is put back", Patience);

    private async Task<ulong> IssueAsync(Up up, string name) => Serial(await HostAsync(
        up, "keys", "gateway", "issue", name, "--key-file", _directory.File(name + ".key"), "--certificate-file", _directory.File(name + ".cert")));

    private static ulong SerialOfServices(Up up)
    {
        Assert.True(FleetCertificate.TryParseText(File.ReadAllText(Path.Combine(up.Data, "keys", "service.cert")), out var certificate));
        return certificate.Serial;
    }

    private static IEnumerable<ulong> Revoked(Up up)
    {
        Assert.True(RevocationList.TryParseText(File.ReadAllText(Path.Combine(up.Data, "keys", "revocations")), out var list));
        return list.Serials;
    }

    [Fact]
    public async Task A_revoked_token_lets_nobody_in()
    {
        await using var up = await Up.StartAsync(_directory.File("data"), "--no-agent");
        var token = await TokenAsync(up);
        await HostAsync(up, "enroll", "revoke", token.Split('.')[0]);
        Assert.Contains("\"state\": \"revoked\"", (await HostAsync(up, "enroll", "list", "--json")).Output, StringComparison.Ordinal);
        var refused = await Run.DotnetAsync(
            Agent,
            ["enroll", "--token", token, "--gateway", up.Endpoints.Gateway, "--state-directory", _directory.File("state"), "--key-file", _directory.File("agent.key")],
            Patience);
        Assert.NotEqual(0, refused.Code);
        Assert.Contains("token", refused.ErrorLine, StringComparison.Ordinal);
        Assert.Equal("streams: token 0011223344556677: there is none; `streams enroll list` lists them",
            (await RefusedAsync(up, "enroll", "revoke", "0011223344556677")).ErrorLine);
    }

    private Task PinnedAsync(string roots) => Eventually.TrueAsync(
        () => File.Exists(_directory.File("state/roots")) && File.ReadAllLines(_directory.File("state/roots"))[1] == roots, $"the agent pins {roots}", Patience);

    private static async Task<string> TokenAsync(Up up) => (await HostAsync(up, "enroll", "create", "--agent", "web-1")).Output.Trim();

    private static string Line(Result result, string label) =>
        result.Output.Split('\n').First(line => line.StartsWith(label + "  ", StringComparison.Ordinal))[label.Length..].Trim();

    private static ulong Serial(Result result) => ulong.Parse(Line(result, "certificate serial"), CultureInfo.InvariantCulture);

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<Result> RefusedAsync(Up up, params string[] arguments)
    {
        var result = await Run.HostAsync([.. arguments, "--data", up.Data]);
        Assert.True(result.Code != 0, result.ToString());
        return result;
    }

    private static async Task<Result> HostAsync(Up up, params string[] arguments)
    {
        var result = await Run.HostAsync([.. arguments, "--data", up.Data]);
        Assert.True(result.Code == 0, result.ToString());
        return result;
    }

    private static async Task AgentAsync(string[] arguments)
    {
        var result = await Run.DotnetAsync(Agent, arguments, Patience);
        Assert.True(result.Code == 0, result.ToString());
    }
}
